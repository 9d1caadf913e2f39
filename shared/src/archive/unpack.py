"""Unpacks archives of backups (see head.ts) as an account without rights, in the working directory.

unpack.py members              stdin: small tar archives, one after the other. Makes the pieces of the parts, manifest.json and
                               SHA256SUMS, and compares them with that list: nothing else, nothing less.
unpack.py part OWNED UNIT...   stdin: one tar archive, the pieces of a part. Makes files, folders and links that stay inside
                               their UNIT, a path such as opt/valence/config. stdout, a line of JSON each: {"left": PATH} for
                               what is not made (a link that leads out, a pipe), {"path", "user", "group"} of what is below OWNED.
unpack.py settle FOLDER OWNERS PREFIX=USER[,USER]...   by root, when nobody else can write there any more: gives what `part`
                               made in FOLDER to its owners. PREFIX tells which accounts may own what is below it, the first
                               where OWNERS (what `part` said) does not name another of them. Who is root's alone to change stays so.
"""

import errno, grp, hashlib, json, os, pwd, re, resource, stat, sys, tarfile


def refuse(why):
    sys.exit("archive: " + why)


def printable(path):
    return json.dumps(path)[1:-1][:200]


def entries(ignore_zeros):
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|", ignore_zeros=ignore_zeros) as tar:
        while (entry := tar.next()) is not None:
            yield tar, entry
            tar.members = []  # It would keep them all.
    # What is left on it, so that who writes is not stopped.
    while sys.stdin.buffer.read(1 << 16):
        pass


def write(tar, entry, fd, hear=lambda chunk: None):
    source = tar.extractfile(entry)
    while chunk := source.read(1 << 16):
        hear(chunk)
        if entry.issparse() and not chunk.strip(b"\0"):
            os.lseek(fd, len(chunk), os.SEEK_CUR)
            continue
        view = memoryview(chunk)
        while view:
            view = view[os.write(fd, view) :]
    os.ftruncate(fd, entry.size)


def create(name, **where):
    try:
        return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, **where)
    except FileExistsError:
        refuse(f"it holds {printable(name)} twice")


def members():
    sums, listed = {}, ""
    for tar, entry in entries(True):
        known = re.fullmatch(r"[a-z][a-z0-9_-]{0,40}\.[0-9]{6}|manifest\.json|SHA256SUMS", entry.name)
        if not known or not entry.isreg():
            refuse(f"it holds {printable(entry.name)}, which no backup does")
        if entry.name == "SHA256SUMS" and entry.size > 100_000_000:
            refuse("its list of contents is too long")
        digest = hashlib.sha256()
        fd = create(entry.name)
        write(tar, entry, fd, digest.update)
        os.close(fd)
        sums[entry.name] = digest.hexdigest()
    if "SHA256SUMS" not in sums or "manifest.json" not in sums:
        refuse("it is not whole: it ends before its list of contents")
    del sums["SHA256SUMS"]
    with open("SHA256SUMS") as file:
        lines = [line.rstrip("\n").split("  ", 1)[::-1] for line in file]
    if sorted(lines) != sorted(map(list, sums.items())):
        refuse("it is damaged: its contents are not what its list says")


def parts_of(name):
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts:
        refuse(f"it leads out of its folder: {printable(name)}")
    return parts


def folder_of(parts):
    """The folder, made where it is not there, entered a name at a time: never through a link."""
    fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    for part in parts:
        outer = fd
        try:
            os.mkdir(part, 0o700, dir_fd=outer)
        except FileExistsError:
            pass
        try:
            fd = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=outer)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise
            refuse(f"it goes through a link or a file: {printable('/'.join(parts))}")
        finally:
            os.close(outer)
    return fd


def stays(parts, target, depth):
    """Whether a link stays below the first `depth` names of its own path: first up, then down, nothing else."""
    words = [word for word in target.split("/") if word not in ("", ".")]
    up = 0
    while up < len(words) and words[up] == "..":
        up += 1
    return not target.startswith("/") and ".." not in words[up:] and len(parts) - 1 - up >= depth


def part(owned, *units):
    units = [unit.split("/") for unit in units]
    modes, left = {}, set()
    for tar, entry in entries(False):
        parts = parts_of(entry.name)
        if not parts:
            continue
        unit = next((unit for unit in units if parts[: len(unit)] == unit), None)
        above = any(unit[: len(parts)] == parts for unit in units)
        if unit is None and not (above and entry.isdir()):
            refuse(f"it holds {printable(entry.name)}, which no backup does")
        if entry.ischr() or entry.isblk():
            refuse(f"it holds a device: {printable(entry.name)}")
        # What leads out was not made: nothing honest is below it.
        if left and any(tuple(parts[:depth]) in left for depth in range(1, len(parts))):
            refuse(f"it goes through a link or a file: {printable(entry.name)}")
        folder = folder_of(parts if entry.isdir() else parts[:-1])
        try:
            is_made = place(tar, entry, parts, folder, len(unit or []))
        finally:
            os.close(folder)
        if not is_made:
            left.add(tuple(parts))
            print(json.dumps({"left": "/".join(parts)}))
            continue
        if entry.isdir():
            modes["/".join(parts)] = entry.mode & 0o777
        if "/".join(parts[: len(owned.split("/"))]) == owned:
            print(json.dumps({"path": "/".join(parts), "user": entry.uname, "group": entry.gname}))
    for path in sorted(modes, reverse=True):
        fd = folder_of(path.split("/"))
        os.fchmod(fd, modes[path])
        os.close(fd)


def place(tar, entry, parts, folder, depth):
    """Makes one entry in its folder. False where it is left out."""
    name = parts[-1]
    if entry.isdir():
        return True
    if entry.issym():
        if not stays(parts, entry.linkname, depth):
            return False
        try:
            os.symlink(entry.linkname, name, dir_fd=folder)
        except FileExistsError:
            refuse(f"it holds {printable(entry.name)} twice")
    elif entry.islnk():
        return link(entry, parts, folder, depth)
    elif entry.isreg():
        fd = create(name, dir_fd=folder)
        write(tar, entry, fd)
        os.utime(fd, (entry.mtime, entry.mtime))
        os.fchmod(fd, entry.mode & 0o777)
        os.close(fd)
    else:
        return False
    return True


def link(entry, parts, folder, depth):
    """A second name of a file that this archive holds in the same unit."""
    first = parts_of(entry.linkname)
    if first[:depth] != parts[:depth] or len(first) <= depth:
        return False
    there = folder_of(first[:-1])
    try:
        os.link(first[-1], parts[-1], src_dir_fd=there, dst_dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    except FileExistsError:
        refuse(f"it holds {printable(entry.name)} twice")
    finally:
        os.close(there)
    return True


def settle(folder, owners, *rules):
    allowed = {}
    for rule in rules:
        prefix, users = rule.split("=")
        allowed[prefix] = users.split(",")
    with open(owners) as file:
        said = {line["path"]: line for line in map(json.loads, file) if "path" in line}

    def account(name):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            refuse(f"the host has no account {name}: npm run deploy comes first")

    def owner(path):
        users = next((users for prefix, users in allowed.items() if f"{path}/".startswith(f"{prefix}/")), ["root"])
        line = said.get(path, {})
        user = line.get("user") if line.get("user") in users else users[0]
        groups = {grp.getgrgid(account(one).pw_gid).gr_name: account(one).pw_gid for one in users}
        # Without a known one: readable by the service whose files they are.
        return account(user).pw_uid, groups.get(line.get("group"), account(users[-1]).pw_gid)

    for at, folders, files, fd in os.fwalk(folder, follow_symlinks=False):
        for name in folders + files:
            uid, gid = owner(os.path.relpath(os.path.join(at, name), folder))
            os.chown(name, uid, gid, dir_fd=fd, follow_symlinks=False)
            state = os.lstat(name, dir_fd=fd)
            if not stat.S_ISLNK(state.st_mode):
                mode = stat.S_IMODE(state.st_mode) & 0o777
                os.chmod(name, mode & ~0o022 if uid == 0 else mode, dir_fd=fd)


# What an archive says of lengths is no reason to take all the memory of the host.
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
try:
    {"members": members, "part": part, "settle": settle}[sys.argv[1]](*sys.argv[2:])
except (tarfile.TarError, ValueError, EOFError, MemoryError) as error:
    refuse(f"it is damaged: {error}")
except OSError as error:
    refuse(f"{error.strerror}: {error.filename or 'unpacking'}")
