SELECT h.rating, sum(h.n)::bigint
FROM rating_histogram AS h
JOIN ingestion_metadata AS i USING (batch_id)
WHERE i.batch_id <> 'baseline'
    AND i.week > coalesce(%(after)s::date, '-infinity')
    AND i.week <= %(through)s
GROUP BY h.rating
