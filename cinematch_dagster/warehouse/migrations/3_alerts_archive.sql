-- Old alerts leave drift_alerts through one door: a row goes once its copy is in the archive.

CREATE TABLE IF NOT EXISTS drift_alerts_archive (
    LIKE drift_alerts INCLUDING CONSTRAINTS,
    archived_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id)
);

CREATE OR REPLACE FUNCTION refuse_unarchived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM drift_alerts_archive AS a
        WHERE a.id = OLD.id AND to_jsonb(a) - 'archived_at' = to_jsonb(OLD)
    ) THEN
        RAISE EXCEPTION '% is append-only: % of row % refused, it is not in the archive',
            TG_TABLE_NAME, TG_OP, OLD.id;
    END IF;
    RETURN OLD;
END $$;

CREATE OR REPLACE TRIGGER drift_alerts_append_only
    BEFORE UPDATE OR TRUNCATE ON drift_alerts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE OR REPLACE TRIGGER drift_alerts_archived_first
    BEFORE DELETE ON drift_alerts
    FOR EACH ROW EXECUTE FUNCTION refuse_unarchived();

CREATE OR REPLACE TRIGGER drift_alerts_archive_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON drift_alerts_archive
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE OR REPLACE VIEW drift_alerts_history AS
SELECT
    id, alert_date, feature_name, drift_score, threshold, alert_triggered, notes, week, view,
    evidence
FROM drift_alerts
UNION ALL
SELECT
    id, alert_date, feature_name, drift_score, threshold, alert_triggered, notes, week, view,
    evidence
FROM drift_alerts_archive;
