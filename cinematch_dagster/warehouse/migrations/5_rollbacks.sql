-- A person may take production back to a version that served before. That is a row of its own, with
-- the run of the version; the gate still decides once about each run.

ALTER TABLE promotions ADD COLUMN IF NOT EXISTS rolled_back_by text;  -- who; null when the gate decided
ALTER TABLE promotions DROP CONSTRAINT IF EXISTS promotions_mlflow_run_id_key;
CREATE UNIQUE INDEX IF NOT EXISTS promotions_once_a_run ON promotions (mlflow_run_id)
WHERE rolled_back_by IS NULL;
