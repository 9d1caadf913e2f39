-- Tables of the knowledge base. Applied again and again: everything here can already exist.
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE IF NOT EXISTS sources (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    kind text NOT NULL,
    title text,
    url text,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS beliefs (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    content text NOT NULL,
    confidence jsonb NOT NULL DEFAULT '{"overall": 0.7}',
    domain_path text[] NOT NULL DEFAULT '{}',
    source_id uuid REFERENCES sources (id),
    supersedes_id uuid REFERENCES beliefs (id),
    status text NOT NULL DEFAULT 'active',
    embedding vector(1536),
    created_at timestamptz NOT NULL DEFAULT now(),
    modified_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS beliefs_by_domain ON beliefs USING gin (domain_path);

CREATE TABLE IF NOT EXISTS entities (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    name text NOT NULL,
    kind text NOT NULL,
    aliases text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, kind)
);

CREATE TABLE IF NOT EXISTS belief_entities (
    belief_id uuid NOT NULL REFERENCES beliefs (id) ON DELETE CASCADE,
    entity_id uuid NOT NULL REFERENCES entities (id) ON DELETE CASCADE,
    role text NOT NULL DEFAULT 'subject',
    PRIMARY KEY (belief_id, entity_id, role)
);

CREATE TABLE IF NOT EXISTS tensions (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    belief_a_id uuid NOT NULL REFERENCES beliefs (id) ON DELETE CASCADE,
    belief_b_id uuid NOT NULL REFERENCES beliefs (id) ON DELETE CASCADE,
    kind text NOT NULL,
    status text NOT NULL DEFAULT 'detected',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS vkb_sessions (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    platform text NOT NULL,
    room_id text,
    status text NOT NULL DEFAULT 'active',
    metadata jsonb NOT NULL DEFAULT '{}',
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);

CREATE TABLE IF NOT EXISTS vkb_exchanges (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    session_id uuid NOT NULL REFERENCES vkb_sessions (id) ON DELETE CASCADE,
    sequence integer NOT NULL,
    role text NOT NULL,
    content text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (session_id, sequence)
);

CREATE TABLE IF NOT EXISTS vkb_patterns (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    kind text NOT NULL,
    description text NOT NULL,
    occurrences integer NOT NULL DEFAULT 1,
    first_seen timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS vkb_session_insights (
    session_id uuid NOT NULL REFERENCES vkb_sessions (id) ON DELETE CASCADE,
    belief_id uuid NOT NULL REFERENCES beliefs (id) ON DELETE CASCADE,
    PRIMARY KEY (session_id, belief_id)
);

CREATE TABLE IF NOT EXISTS embedding_types (
    name text PRIMARY KEY,
    dimensions integer NOT NULL
);

CREATE TABLE IF NOT EXISTS embedding_coverage (
    belief_id uuid NOT NULL REFERENCES beliefs (id) ON DELETE CASCADE,
    embedding_type text NOT NULL REFERENCES embedding_types (name),
    PRIMARY KEY (belief_id, embedding_type)
);
