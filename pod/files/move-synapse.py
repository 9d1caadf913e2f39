# Takes Synapse out of the database that it shared with Valence: python3 -I -B -c PROGRAM look|move|drop, with the places
# and the words of PostgreSQL's clients as JSON on stdin. `look` tells what is there, and only reads.
#
# At any moment it can be killed and begun anew. While the configuration names the shared database, that one counts: its
# tables are copied by one transaction into the other, which is empty or holds an earlier copy that nobody used since
# (`record` tells). Only `drop` takes away, once Synapse runs on the copy.
import glob, json, os, re, signal, subprocess, sys

desired = json.load(sys.stdin)
shared, own, folder, unit = desired["shared"], desired["own"], desired["folder"], desired["unit"]
record, copy = folder + "/record.json", folder + "/synapse.dump"


def run(words, text="", **more):
    ran = subprocess.run(words, input=text, capture_output=True, text=True, cwd="/", **more)
    if ran.returncode != 0:
        said = [line for line in ran.stderr.splitlines() if re.search("ERROR|FATAL|error:", line)] or ran.stderr.splitlines()
        sys.exit(said[0] if said else f"{words[-1]}: exit code {ran.returncode}")
    return ran.stdout


def superuser(database, statement):
    return json.loads(run(desired["superuser"][database], statement) or "null")


# What Synapse makes, by the texts of its release. A name in a text of Python may be put together, and is none then.
def reference():
    storage = glob.glob(desired["venv"] + "/lib/python3*/site-packages/synapse/storage")
    paths = [path for place in storage for path in glob.glob(place + "/**/*", recursive=True)]
    texts = "\n".join(open(path).read() for path in paths if re.search(r"\.(py|sql|sql\.postgres)$", path))
    name = r"\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:public\.)?\"?([a-z_][a-z0-9_]*)\b(?!\{)"
    named = lambda what: {found.lower() for found in re.findall(what + name, texts, re.I)}
    relations = named(r"\bCREATE\s+TABLE") | named(r"\bCREATE\s+SEQUENCE") | named(r"\bRENAME\s+TO")
    return relations, named(r"\bCREATE\s+(?:OR\s+REPLACE\s+)?FUNCTION"), " ".join(texts.split())


def array(names):
    return "array[" + ", ".join(f"'{name}'" for name in sorted(names)) + "]::name[]"


# The relations and functions of these names, and whatever would tie them to what stays: each direction of pg_depend.
def catalog(relations, functions):
    return f"""with recursive relation as (
  select oid, relname, relkind, relowner from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'S')
  and (relname = any ({array(relations)}) or relname ~ '^_temp_populate_')
), routine as (
  select oid, proname, prosrc, proowner, prosecdef from pg_proc where pronamespace = 'public'::regnamespace and prokind = 'f' and proname = any ({array(functions)})
), mine (classid, objid) as (
  select 'pg_class'::regclass::oid, oid from relation union select 'pg_proc'::regclass::oid, oid from routine
  union select d.classid, d.objid from mine m join pg_depend d on d.refclassid = m.classid and d.refobjid = m.objid
  where d.deptype in ('a', 'i', 'P', 'S')
), tie (said) as (
  select pg_describe_object(classid, objid, 0) || ' needs ' || pg_describe_object(refclassid, refobjid, refobjsubid) from pg_depend
  where ((classid, objid) in (select * from mine)) <> ((refclassid, refobjid) in (select * from mine)) and classid <> 0
  and ((refclassid, refobjid) in (select * from mine) or refobjid >= 16384)
  and not (refclassid = 'pg_namespace'::regclass and refobjid = 'public'::regnamespace)
  union all select 'rule ' || rulename || ' on table ' || relname from pg_rewrite join relation on ev_class = relation.oid
  union all select 'table ' || relname || ' belongs to ' || pg_get_userbyid(relowner) from relation where relowner <> '{desired["role"]}'::regrole
  union all select 'function ' || proname || ' belongs to ' || pg_get_userbyid(proowner) from routine where proowner <> '{desired["role"]}'::regrole
)
select json_build_object('tables', (select coalesce(json_agg(relname order by relname), '[]') from relation where relkind = 'r'),
'sequences', (select coalesce(json_agg(relname order by relname), '[]') from relation where relkind = 'S'),
'bytes', (select coalesce(sum(pg_total_relation_size(oid)), 0) from relation),
'functions', (select coalesce(json_agg(json_build_object('name', proname, 'body', prosrc, 'closed', prosecdef, 'text', pg_get_functiondef(oid))), '[]') from routine),
'ties', (select coalesce(json_agg(distinct said), '[]') from tie));"""


# Synapse's own record of its schema tells that it is there: Valence may have a table of any other name.
def there():
    found = superuser("postgres", f"""select exists (select from pg_database where datname = '{shared}') as shared,
exists (select from pg_database where datname = '{own}') as own \\gset
\\if :shared
\\connect {shared}
select to_regclass('public.applied_schema_deltas') is not null and to_regclass('public.schema_version') is not null as shared \\gset
\\endif
\\set target absent
\\if :own
\\connect {own}
select case when exists (select from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'm', 'S')) then 'filled' else 'empty' end as target \\gset
\\endif
select json_build_object('shared', :'shared'::boolean, 'target', :'target');""")
    return found["shared"], found["target"]


def free():
    places = [next(p for p in (path, os.path.dirname(path), "/") if os.path.exists(p)) for path in ("/var/lib/postgresql", os.path.dirname(folder))]
    return min(os.statvfs(place).f_bavail * os.statvfs(place).f_frsize for place in places)


def look():
    holds, target = there()
    state = {"tables": [], "sequences": [], "functions": [], "ties": [], "short": None, "target": target}
    state.update(recorded=os.path.exists(record), copy=copy if os.path.exists(copy) else None)
    if not holds:
        return state
    relations, functions, texts = reference()
    if "applied_schema_deltas" not in relations:
        return {**state, "tables": ["applied_schema_deltas"], "ties": ["the release of Synapse, which tells its tables, is not installed yet"]}
    state.update(superuser(shared, catalog(relations, functions)))
    # Two answers are compared: what changes all the time is told only where it counts.
    needed, room = state.pop("bytes"), free()
    if room < 2 * needed:
        state["short"] = {"needed": needed, "free": room}
    for function in state["functions"]:
        # It will run with the rights of the new role.
        if function["closed"] or " ".join(function["body"].split()) not in texts:
            state["ties"].append(f"function {function['name']} is not as Synapse makes it")
    return state


# How many rows each table has, and where each sequence stands; as the role, who may have made anything of them.
def counts(words, state):
    parts = [f"select '{name}', count(*)::text from only public.{name}" for name in state["tables"]]
    parts += [f"select '{name}', last_value || ' ' || is_called from public.{name}" for name in state["sequences"]]
    return dict(line.split("|") for line in run(words, " union all ".join(parts) + ";").splitlines())


def differing(one, other):
    return ", ".join(sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))[:5])


def save(path, text):
    with open(path + ".part", "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".part", path)


def names(state, key):
    return ", ".join("public." + name for name in state[key])


def emptied(present):
    kinds = [("table", "tables"), ("sequence", "sequences")]
    lines = [f"drop {kind} if exists {names(present, key)} cascade;" for kind, key in kinds if present[key]]
    run(desired["psql"][own], "set client_min_messages = error; begin;\n" + "\n".join(lines) + "\ncommit;")


def fill(state):
    if state["target"] == "filled":
        kept = json.load(open(record))
        present = superuser(own, catalog(kept, []))
        now = counts(desired["psql"][own], present)
        if now != kept:
            sys.exit(f"database {own} was used since it was filled ({differing(now, kept)}): nothing was changed")
    before = counts(desired["psql"][shared], state)
    os.makedirs(folder, 0o700, exist_ok=True)
    with open(copy + ".part", "wb") as file:
        tables = [f"--table=public.{name}" for name in state["tables"] + state["sequences"]]
        if subprocess.run(desired["dump"] + tables, stdout=file, cwd="/").returncode != 0:
            sys.exit("pg_dump failed")
        os.fsync(file.fileno())
    os.rename(copy + ".part", copy)
    if state["target"] == "filled":
        emptied(present)
    save(record, json.dumps(before))
    run(desired["psql"][own], "".join(function["text"] + ";\n" for function in state["functions"]))
    with open(copy, "rb") as file:
        if subprocess.run(desired["restore"], stdin=file, cwd="/").returncode != 0:
            sys.exit("pg_restore failed")
    after = counts(desired["psql"][own], state)
    if after != before:
        emptied(state)
        sys.exit(f"the copy differs ({differing(before, after)}), and was thrown away")
    run(desired["psql"][own], "set client_min_messages = error; analyze;")


def move():
    state = look()
    if state["ties"] or state["short"] or state["target"] == "absent":
        sys.exit("; ".join(state["ties"]) or (f"there is no database {own}" if state["target"] == "absent" else "No space left on device"))
    state_of = lambda verb: subprocess.run(["systemctl", verb, unit], capture_output=True, text=True).stdout.strip()
    runs = state_of("is-active") in ("active", "activating", "reloading") or state_of("is-enabled") == "enabled"
    run(["systemctl", "stop", unit])
    try:
        fill(state)
    except BaseException:
        # What it knows is where it was: it goes on there.
        if runs:
            subprocess.run(["systemctl", "start", unit])
        raise


def drop():
    state = look()
    if state["ties"]:
        sys.exit("; ".join(state["ties"]))
    now, kept = counts(desired["psql"][shared], state), json.load(open(record))
    if now != kept:
        sys.exit(f"database {shared} was written to since Synapse left it ({differing(now, kept)}): nothing was removed")
    # What else is there may have been changed by Synapse since, or by its next release.
    users = int(run(desired["psql"][own], "select count(*) from public.users;"))
    if users < int(kept["users"]):
        sys.exit(f"database {own} has {users} users, and {kept['users']} were copied: nothing was removed")
    lines = [f"drop table {names(state, 'tables')};"]
    lines += [f"drop sequence if exists {names(state, 'sequences')};"] if state["sequences"] else []
    lines += [f"drop function public.{function['name']}();" for function in state["functions"]]
    run(desired["psql"][shared], "set client_min_messages = error; begin;\n" + "\n".join(lines) + "\ncommit;")
    os.unlink(record)


os.umask(0o077)
# It goes on when nobody hears it any more: half of it would only have to be done again.
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
if sys.argv[1] == "look":
    state = look()
    print(json.dumps({**state, "functions": len(state["functions"]), "sequences": len(state["sequences"]), "tables": len(state["tables"])}))
else:
    {"move": move, "drop": drop}[sys.argv[1]]()
