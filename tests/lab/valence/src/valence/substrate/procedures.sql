-- Functions of the knowledge base.
CREATE OR REPLACE FUNCTION touch_modified() RETURNS trigger AS $$
BEGIN
    NEW.modified_at = now();
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE OR REPLACE FUNCTION current_beliefs(wanted text[])
RETURNS TABLE (id uuid, content text) AS $$
    SELECT b.id, b.content FROM beliefs b WHERE b.status = 'active' AND b.domain_path && wanted
$$ LANGUAGE sql STABLE;

DROP TRIGGER IF EXISTS beliefs_touch ON beliefs;
CREATE TRIGGER beliefs_touch BEFORE UPDATE ON beliefs FOR EACH ROW EXECUTE FUNCTION touch_modified();
