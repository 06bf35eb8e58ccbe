SELECT version
FROM promotions
WHERE promoted AND rolled_back_by IS NULL
ORDER BY id
