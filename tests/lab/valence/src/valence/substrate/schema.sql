-- Tables of the knowledge base, as their columns are in the real one.
-- Everything here can already exist; only the constraint in the middle has no words for that.
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS "vector";

CREATE TABLE IF NOT EXISTS sources (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    type TEXT NOT NULL,
    title TEXT,
    url TEXT,
    content_hash TEXT,
    session_id UUID,  -- its constraint comes when there are sessions; a semicolon; in a comment
    metadata JSONB DEFAULT '{}',
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW()
);

CREATE TABLE IF NOT EXISTS beliefs (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    content TEXT NOT NULL,
    confidence JSONB NOT NULL DEFAULT '{"overall": 0.7}',
    domain_path TEXT[] NOT NULL DEFAULT '{}',
    valid_from TIMESTAMPTZ,
    valid_until TIMESTAMPTZ,
    source_id UUID REFERENCES sources(id) ON DELETE SET NULL,
    holder_id UUID,
    extraction_method TEXT,
    supersedes_id UUID REFERENCES beliefs(id) ON DELETE SET NULL,
    superseded_by_id UUID REFERENCES beliefs(id) ON DELETE SET NULL,
    status TEXT NOT NULL DEFAULT 'active',
    embedding VECTOR(1536),
    content_tsv TSVECTOR GENERATED ALWAYS AS (to_tsvector('english', content)) STORED,
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    modified_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    CONSTRAINT beliefs_valid_status CHECK (status IN ('active', 'superseded', 'disputed', 'archived'))
);
CREATE INDEX IF NOT EXISTS idx_beliefs_holder ON beliefs(holder_id);
CREATE INDEX IF NOT EXISTS idx_beliefs_domain ON beliefs USING GIN (domain_path);
CREATE INDEX IF NOT EXISTS idx_beliefs_embedding ON beliefs USING ivfflat (embedding vector_cosine_ops) WITH (lists = 100);

CREATE TABLE IF NOT EXISTS entities (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    description TEXT,
    aliases TEXT[] DEFAULT '{}',
    canonical_id UUID REFERENCES entities(id) ON DELETE SET NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    modified_at TIMESTAMPTZ NOT NULL DEFAULT NOW()
);
CREATE UNIQUE INDEX IF NOT EXISTS idx_entities_unique_canonical ON entities(name, type) WHERE canonical_id IS NULL;

CREATE TABLE IF NOT EXISTS belief_entities (
    belief_id UUID NOT NULL REFERENCES beliefs(id) ON DELETE CASCADE,
    entity_id UUID NOT NULL REFERENCES entities(id) ON DELETE CASCADE,
    role TEXT NOT NULL DEFAULT 'subject',
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    PRIMARY KEY (belief_id, entity_id, role)
);

CREATE TABLE IF NOT EXISTS tensions (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    belief_a_id UUID NOT NULL REFERENCES beliefs(id) ON DELETE CASCADE,
    belief_b_id UUID NOT NULL REFERENCES beliefs(id) ON DELETE CASCADE,
    type TEXT NOT NULL DEFAULT 'contradiction',
    severity TEXT NOT NULL DEFAULT 'medium',
    status TEXT NOT NULL DEFAULT 'detected',
    detected_at TIMESTAMPTZ NOT NULL DEFAULT NOW()
);

CREATE TABLE IF NOT EXISTS vkb_sessions (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    platform TEXT NOT NULL,
    project_context TEXT,
    status TEXT NOT NULL DEFAULT 'active',
    summary TEXT,
    themes TEXT[] DEFAULT '{}',
    started_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    ended_at TIMESTAMPTZ,
    claude_session_id TEXT,
    external_room_id TEXT,
    metadata JSONB DEFAULT '{}'
);

ALTER TABLE sources
    ADD CONSTRAINT fk_sources_vkb_session
    FOREIGN KEY (session_id) REFERENCES vkb_sessions(id) ON DELETE SET NULL;

CREATE TABLE IF NOT EXISTS vkb_exchanges (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    session_id UUID NOT NULL REFERENCES vkb_sessions(id) ON DELETE CASCADE,
    sequence INTEGER NOT NULL,
    role TEXT NOT NULL,
    content TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    tool_uses JSONB DEFAULT '[]',
    embedding VECTOR(1536),
    UNIQUE (session_id, sequence)
);

CREATE TABLE IF NOT EXISTS vkb_patterns (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    type TEXT NOT NULL,
    description TEXT NOT NULL,
    evidence UUID[] NOT NULL DEFAULT '{}',
    occurrence_count INTEGER DEFAULT 1,
    confidence NUMERIC(3,2) DEFAULT 0.5,
    status TEXT NOT NULL DEFAULT 'emerging'
);

CREATE TABLE IF NOT EXISTS vkb_session_insights (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    session_id UUID NOT NULL REFERENCES vkb_sessions(id) ON DELETE CASCADE,
    belief_id UUID NOT NULL REFERENCES beliefs(id) ON DELETE CASCADE,
    extraction_method TEXT NOT NULL DEFAULT 'manual',
    UNIQUE (session_id, belief_id)
);

CREATE TABLE IF NOT EXISTS embedding_types (
    id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    dimensions INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS embedding_coverage (
    content_type TEXT NOT NULL,
    content_id UUID NOT NULL,
    embedding_type_id TEXT NOT NULL REFERENCES embedding_types(id),
    PRIMARY KEY (content_type, content_id, embedding_type_id)
);

CREATE OR REPLACE VIEW beliefs_current AS
SELECT * FROM beliefs WHERE status = 'active' AND superseded_by_id IS NULL;
