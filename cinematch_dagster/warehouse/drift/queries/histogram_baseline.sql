SELECT h.rating, sum(h.n)::bigint
FROM rating_histogram AS h
JOIN ingestion_metadata AS i USING (batch_id)
WHERE h.data_split = 'train'
    AND (
        i.batch_id = 'baseline'
        OR i.week <= %(since)s::date
        AND EXISTS (
            SELECT FROM promotions AS p
            WHERE p.promoted AND p.version = i.merged_version AND p.buffer_policy = 'merge'
                AND p.week <= %(since)s
        )
    )
GROUP BY h.rating
