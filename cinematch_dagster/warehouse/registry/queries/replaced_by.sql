-- What a version replaced when the gate promoted it.
SELECT from_version
FROM promotions
WHERE version = %(version)s AND promoted AND rolled_back_by IS NULL
ORDER BY id DESC
LIMIT 1
