SELECT id, version, reason, EXISTS (
    SELECT FROM promotions AS earlier
    WHERE earlier.promoted AND earlier.version = p.version AND earlier.id < p.id
)
FROM promotions AS p
WHERE promoted AND id > %(after)s
ORDER BY id
