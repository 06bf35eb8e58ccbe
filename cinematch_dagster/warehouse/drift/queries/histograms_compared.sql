-- Counts of each rating on the three sides of the comparison of some weeks.
SELECT w.week, l.side, h.rating, sum(h.n)::bigint
FROM unnest(%(weeks)s::date[]) AS w (week), compared_loads(w.week) AS l
JOIN rating_histogram AS h USING (batch_id, data_split)
GROUP BY w.week, l.side, h.rating
