# A Matrix user for one round trip. The shared secret and the words of psql come as a line of JSON on stdin; the user's id,
# password and first token go out as another. When stdin ends, so when verify is done or was ended, whatever ended it,
# the user is deactivated and erased. All of it on the host itself, past nginx: the user goes even when nothing can be
# reached from outside.
import hashlib, hmac, json, secrets, select, subprocess, sys, urllib.error, urllib.request

# Seconds after which the user goes though nobody said so: the connection may have been lost.
timeout_seconds = 300
# Seconds that one of our users can live at most, by far.
stale = 600
# After a restart of the database each of Synapse's connections to it, of which it has up to ten, fails once.
attempts = 12

desired = json.loads(sys.stdin.readline())
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(path, body=None, token=None):
    data = json.dumps(body).encode() if body is not None else None
    head = {"Content-Type": "application/json"}
    if token is not None:
        head["Authorization"] = "Bearer " + token
    try:
        return 200, json.load(opener.open(urllib.request.Request("http://127.0.0.1:8008" + path, data, head), timeout=20))
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or "{}")


def said(code, body):
    return f"{code} {body.get('errcode', '')} {body.get('error', '')}"


def must(answer):
    code, body = answer
    if code != 200:
        sys.exit(said(code, body))
    return body


# Whoever made the user has gone without it: the secret alone opens it again, and proves that it is ours.
def password_of(name):
    return hmac.new(desired["shared"].encode(), ("verify " + name).encode(), hashlib.sha256).hexdigest()


def tell(line):
    try:
        print(line, flush=True)
    except OSError:
        pass  # nobody listens any more


# The signature needs a nonce that the server gives.
def register(name):
    path = "/_synapse/admin/v1/register"
    nonce = must(call(path))["nonce"]
    signed = chr(0).join([nonce, name, password_of(name), "notadmin"])
    mac = hmac.new(desired["shared"].encode(), signed.encode(), hashlib.sha1).hexdigest()
    user = {"nonce": nonce, "username": name, "password": password_of(name), "admin": False, "mac": mac}
    return must(call(path, user))["access_token"]


def identifier(name):
    return {"type": "m.id.user", "user": name}


# That somebody wants to be deactivated the own password proves.
def deactivate(name, token):
    path = "/_matrix/client/v3/account/deactivate"
    auth = {"type": "m.login.password", "identifier": identifier(name), "password": password_of(name)}
    for _ in range(attempts):
        code, body = call(path, {"erase": True, "auth": auth}, token)
        if code == 401 and "session" in body:
            code, body = call(path, {"erase": True, "auth": {**auth, "session": body["session"]}}, token)
        if code < 500:
            break
    must((code, body))
    if call("/_matrix/client/v3/account/whoami", token=token)[0] != 401:
        sys.exit("the token still works")


# What a run left whose part on the host was ended as well. By name and age alone they would be guesses.
def sweep():
    statement = f"""select substring(name from '^@(verify-[0-9a-f]{{12}}):') from public.users
where name ~ '^@verify-[0-9a-f]{{12}}:' and deactivated = 0 and admin = 0 and is_guest = 0
and creation_ts < extract(epoch from now()) - {stale} order by creation_ts limit 5"""
    found = subprocess.run(desired["psql"], input=statement, capture_output=True, text=True, cwd="/")
    if found.returncode != 0:
        return tell("LEFT - " + (found.stderr.strip() or "psql failed").splitlines()[-1])
    for name in found.stdout.split():
        login = {"type": "m.login.password", "identifier": identifier(name), "password": password_of(name)}
        code, body = call("/_matrix/client/v3/login", login)
        if code != 200:
            tell(f"LEFT {name} {said(code, body)}")
            continue
        try:
            deactivate(name, body["access_token"])
            tell(f"SWEPT {name}")
        except SystemExit as error:
            tell(f"LEFT {name} {error}")


def main():
    name = "verify-" + secrets.token_hex(6)
    token = register(name)
    try:
        tell(json.dumps({"name": name, "password": password_of(name), "token": token}))
        sweep()
        select.select([0], [], [], timeout_seconds)
    finally:
        deactivate(name, token)


try:
    main()
except OSError as error:
    sys.exit(f"Synapse does not answer on localhost: {error}")
