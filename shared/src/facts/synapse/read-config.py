# Reads Synapse's configuration as Synapse does, by YAML's own parser, and only reads: python3 -I -B -c PROGRAM MODE ...
#   look MARK    each file as a line of JSON: its names, where the data are, who wrote it; nothing that is secret
#   keys PATH    PATH and every path of a signing key that the files name, each on a line
#   name SAYING  the server_name that is in force; where that cannot be read it fails, and SAYING begins the error
#   changed      stdin: another configuration; the settings that have another value there, of secret ones the names alone
import glob, json, os, pathlib, re, sqlite3, subprocess, sys

folder, venv = "/etc/matrix-synapse", "/opt/venvs/matrix-synapse"


# Synapse's environment has a parser, whether or not its Python runs just now.
def parser():
    try:
        import yaml
    except ImportError:
        sys.path += glob.glob(venv + "/lib/python3*/site-packages")
        try:
            import yaml
        except ImportError:
            return None
    return yaml


yaml = parser()


# Without YAML's parser: only what means the same to everybody, a name and one word a line.
def flat(text):
    found = {}
    for line in text.splitlines():
        if re.fullmatch(r"\s*(#.*)?|---", line):
            continue
        said = re.fullmatch(r"([a-z][a-z0-9_]*): +(?:([A-Za-z/][\w./-]*)|'([^'\\]*)'|\"([^\"\\]*)\")(?:\s+#.*)?\s*", line)
        if not said or (said[2] or "").lower() in ("null", "yes", "no", "on", "off"):
            return None
        found[said[1]] = next(word for word in said.groups()[1:] if word is not None)
    return found


# What a text says, or why nobody knows. An error's own message shows the lines around it, and those may hold a secret.
def read(text):
    if yaml is None:
        found = flat(text)
        return (found, None) if found is not None else ({}, "no parser of YAML")
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return {}, "not YAML" + (f" (line {mark.line + 1})" if mark else "")
    except Exception as error:
        return {}, f"not YAML ({type(error).__name__})"
    if found is None:
        return {}, None
    if not isinstance(found, dict):
        return {}, "not a map of settings"
    return {str(name): value for name, value in found.items()}, None


# A later one wins.
def files():
    for path in [folder + "/homeserver.yaml"] + sorted(glob.glob(folder + "/conf.d/*.yaml")):
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            yield path, "", {}, "not UTF-8" if isinstance(error, UnicodeDecodeError) else f"not readable ({error.strerror})"
        else:
            yield (path, text, *read(text))


# Opened for reading only: how many would be left behind if Synapse were started on another database.
def users(path):
    path = os.path.join("/var/lib/matrix-synapse", path)
    if not os.path.isfile(path) or os.path.getsize(path) == 0:
        return "none"
    try:
        file = sqlite3.connect(pathlib.Path(path).as_uri() + "?mode=ro", uri=True)
        return str(file.execute("select count(*) from users").fetchone()[0])
    except sqlite3.Error as error:
        return "0" if "no such table" in str(error) else "unknown"


def database(said):
    if not isinstance(said, dict):
        return {"dsn": "yes"}
    args = said.get("args")
    args = {} if args is None else args
    if not isinstance(args, dict) or "dsn" in args or "service" in args:
        return {"name": str(said.get("name")), "dsn": "yes"}
    args = {"host": args["hostaddr"], **args} if "hostaddr" in args else args
    named = {key: str(args[key]) for key in ("dbname", "database", "user", "host", "port") if args.get(key) is not None}
    found = {"name": str(said.get("name")), **named}
    if found["name"] == "sqlite3":
        found["users"] = users(found.get("database", ""))
    return found


def writer(path, text, mark):
    if text.startswith(mark):
        return "deployment"
    try:
        own = subprocess.run(["dpkg-query", "-W", "-f=${Conffiles}\n", "matrix-synapse-py3"], capture_output=True, text=True).stdout
        summed = subprocess.run(["md5sum"], stdin=open(path, "rb"), capture_output=True, text=True).stdout.split(" ")[0]
    except OSError:
        return "other"
    return "package" if f" {path} {summed}" in own else "other"


def look(mark):
    for path, text, config, unread in files():
        one = {"path": path, "keys": list(config), "empty": [name for name, value in config.items() if value in ([], {})]}
        named = {name: config.get(name) for name in ("server_name", "signing_key_path", "media_store_path")}
        one["values"] = {name: str(value) for name, value in named.items() if value not in (None, "")}
        if unread:
            one["unread"] = unread
        if "database" in config:
            one["database"] = database(config["database"])
        if path.endswith("/homeserver.yaml"):
            one["by"] = writer(path, text, mark)
        print(json.dumps(one))


# What is not secret in them. Of all others, those of the user's own file too, only the name is told.
shown = "server_name public_baseurl report_stats media_store_path max_upload_size signing_key_path suppress_key_server_warning enable_registration rc_message rc_login".split()


# Where a listener listens and for what: the rest is a matter of taste.
def listener(one):
    if not isinstance(one, dict):
        return "?"
    binds = one.get("bind_addresses") or ([one["bind_address"]] if one.get("bind_address") else ["*"])
    place = one.get("path") or f"{one.get('port')} on {', '.join(map(str, binds))}"
    names = [str(name) for each in one.get("resources") or [] for name in (each.get("names") or [] if isinstance(each, dict) else [])]
    words = [str(one.get("type", "http")), *names, *(["tls"] if one.get("tls") else [])]
    return f"{place} ({' '.join(words)})"


def meaning(name, value):
    return sorted(map(listener, value)) if name == "listeners" and isinstance(value, list) else value


def short(value):
    text = "; ".join(value) if isinstance(value, list) and all(isinstance(one, str) for one in value) else json.dumps(value, default=str)
    return text if len(text) <= 120 else text[:119] + "…"


def changed():
    desired, problem = read(sys.stdin.read())
    if problem:
        sys.exit(f"the new homeserver.yaml: {problem}")
    now = {name: (path, value) for path, _, config, _ in files() for name, value in config.items()}
    for name, value in desired.items():
        path, was = now.get(name, (None, None))
        was, value = meaning(name, was), meaning(name, value)
        if path is None or was == value:
            continue
        told = {"before": short(was), "after": short(value)} if name in [*shown, "listeners"] else {}
        print(json.dumps({"name": name, "path": path, **told}))


def keys(path):
    named = {str(config["signing_key_path"]) for _, _, config, _ in files() if config.get("signing_key_path")}
    print("\n".join(sorted({path, *(one for one in named if "\n" not in one)})))


def name(saying):
    said, of = None, None
    for path, _, config, unread in files():
        if unread:
            sys.exit(f"{saying}: {path}: {unread}")
        if "server_name" in config:
            said, of = config["server_name"], path
    if of and not (isinstance(said, str) and re.fullmatch(r"[^\s\x00-\x1f]+", said)):
        sys.exit(f"{saying}: {of}: its server_name is not a name")
    if of:
        print(said)


{"look": look, "keys": keys, "name": name, "changed": changed}[sys.argv[1]](*sys.argv[2:])
