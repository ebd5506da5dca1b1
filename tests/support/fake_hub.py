"""The Hugging Face Hub's protocol for dataset repositories, on a local socket and in memory. It can misbehave."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

from tests.support.http import Handler, LocalServer

TOKEN = "hf_fake_token_that_must_not_be_printed"
DATE = "2026-11-25T00:00:00.000Z"
ATTRIBUTES = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"
Fault = int | str | Callable[[], None] | None
ROUTES = {
    "whoami": r"GET /api/whoami-v2",
    "create": r"POST /api/repos/create",
    "yaml": r"POST /api/validate-yaml",
    "info": r"GET /api/datasets/(?P<repo>[^/]+/[^/]+)(?:/revision/(?P<revision>[^/]+))?",
    "refs": r"GET /api/datasets/(?P<repo>[^/]+/[^/]+)/refs",
    "tree": r"GET /api/datasets/(?P<repo>[^/]+/[^/]+)/tree/(?P<revision>[^/]+)(?:/(?P<path>.+))?",
    "paths": r"POST /api/datasets/(?P<repo>[^/]+/[^/]+)/paths-info/(?P<revision>[^/]+)",
    "preupload": r"POST /api/datasets/(?P<repo>[^/]+/[^/]+)/preupload/(?P<revision>[^/]+)",
    "commit": r"POST /api/datasets/(?P<repo>[^/]+/[^/]+)/commit/(?P<revision>[^/]+)",
    "tag": r"POST /api/datasets/(?P<repo>[^/]+/[^/]+)/tag/(?P<revision>[^/]+)",
    "batch": r"POST /datasets/(?P<repo>[^/]+/[^/]+)\.git/info/lfs/objects/batch",
    "upload": r"PUT /lfs/(?P<key>.+)",
    "check": r"POST /lfs/(?P<key>.+)/verify",
    "resolve": r"(?:GET|HEAD) /(?:datasets/)?(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)",
    "object": r"(?:GET|HEAD) /lfs/(?P<key>.+)",
}
WITHOUT_TOKEN = ("upload", "object")  # a storage server, where the address is the permission


@dataclass(frozen=True)
class File:
    """A file of a commit: its bytes, or for a large one the hash of what the storage server has."""

    data: bytes
    sha256: str | None = None
    size: int = 0

    @property
    def git_oid(self) -> str:
        return hashlib.sha1(b"blob %d\0" % len(self.data) + self.data).hexdigest()

    @property
    def oid(self) -> str:
        """What a client compares with its own file."""
        return self.sha256 or self.git_oid


Files = dict[str, File]


def small(data: bytes) -> File:
    return File(data, size=len(data))


def large(sha256: str, size: int) -> File:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
    return File(pointer.encode(), sha256, size)


@dataclass
class Repo:
    """Commits by id, and names for some of them: branches, tags and pull requests (as `refs/pr/N`)."""

    commits: dict[str, Files] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def add(self, ref: str, files: Files) -> str:
        """A new commit that `ref` names from now on."""
        said = json.dumps([len(self.commits), *((name, file.oid) for name, file in sorted(files.items()))])
        oid = hashlib.sha1(said.encode()).hexdigest()
        self.commits[oid] = files
        self.refs[ref] = oid
        return oid

    def find(self, revision: str) -> str | None:
        """The id of a commit that is called by id, branch, tag or pull request."""
        known = {**self.refs, **self.tags, **{oid: oid for oid in self.commits}}
        return known.get(revision)


class Refused(Exception):
    """An answer with an HTTP status other than 200, as the Hub words it."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


@dataclass(frozen=True)
class Request:
    """What a route gets: the parts of its address, the query and the body."""

    parts: dict[str, str]
    query: dict[str, list[str]]
    body: bytes
    user: str | None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class _Handler(Handler):
    disable_nagle_algorithm = True  # head and body are two writes; else each reply takes 40 ms

    def do_GET(self) -> None:
        self._handle()

    do_HEAD = do_POST = do_PUT = do_GET

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return super().body()
        data = b""
        while size := int(self.rfile.readline(), 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def _handle(self) -> None:
        owner: FakeHub = self.server.owner  # type: ignore[attr-defined]
        address, data = urlsplit(self.path), self.body()
        wanted = f"{self.command} {address.path}"
        found = ((name, re.fullmatch(pattern, wanted)) for name, pattern in ROUTES.items())
        route, match = next(((name, match) for name, match in found if match), ("", None))
        with owner.lock:
            owner.log.append(wanted)
            owner.keys.add(self.headers.get("Authorization", ""))
            faults = owner.faults.get(route)
            fault = faults.pop(0) if faults else None
        if callable(fault):
            fault()
        elif isinstance(fault, int):
            self._refuse(Refused(fault, f"planned {fault}"))
            return
        elif fault == "cut":
            self.close_connection = True
            return
        try:
            if match is None:
                raise Refused(404, f"no such route: {wanted}")
            user = self._user(owner, route)
            parts = {name: unquote(part) for name, part in match.groupdict().items() if part is not None}
            with owner.lock:
                answer = getattr(owner, f"on_{route}")(Request(parts, parse_qs(address.query), data, user))
        except Refused as refused:
            self._refuse(refused)
            return
        if fault == "lost":
            self.close_connection = True
        elif route == "resolve":
            self._file(*answer)
        elif route == "object":
            self._bytes(answer, {})
        else:
            self.send(200, answer)

    def _user(self, owner: "FakeHub", route: str) -> str | None:
        key = self.headers.get("Authorization")
        if key is None or route in WITHOUT_TOKEN:
            if self.command in ("GET", "HEAD") or route in (*WITHOUT_TOKEN, "paths", "yaml"):
                return None
            raise Refused(401, "Invalid username or password.")
        user = owner.users.get(key.removeprefix("Bearer "))
        if user is None:
            raise Refused(401, "Invalid credentials in Authorization header")
        return user

    def _refuse(self, refused: Refused) -> None:
        headers = {"X-Error-Message": refused.message, "X-Request-Id": "fake"}
        if refused.code:
            headers["X-Error-Code"] = refused.code
        if refused.status == 429:
            headers["Retry-After"] = "0"
        self._answer(refused.status, json.dumps({"error": refused.message}).encode(), headers)

    def _file(self, commit: str, file: File, stored: str) -> None:
        headers = {"X-Repo-Commit": commit, "ETag": f'"{file.oid}"'}
        if not file.sha256:
            self._bytes(file.data, headers)
            return
        linked = {"X-Linked-ETag": f'"{file.sha256}"', "X-Linked-Size": str(file.size)}
        self._answer(302, b"", {**headers, **linked, "Location": stored})

    def _bytes(self, data: bytes, headers: dict[str, str]) -> None:
        """Bytes of a file, or the range that was asked for."""
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            self._answer(200, data, headers)
            return
        first, last = int(asked[1]), min(int(asked[2] or len(data)), len(data) - 1)
        if first > last:
            self._answer(416, b"", {**headers, "Content-Range": f"bytes */{len(data)}"})
            return
        headers = {**headers, "Content-Range": f"bytes {first}-{last}/{len(data)}"}
        self._answer(206, data[first : last + 1], headers)

    def _answer(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), "Accept-Ranges": "bytes", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


class FakeHub(LocalServer):
    """`address` is what HF_ENDPOINT gets, `log` the requests so far, `repos` the content.

    `faults[route]` are taken one a request, for the names in ROUTES: None, an HTTP status, "cut" (no reply, and nothing
    done), "lost" (done, but no reply), or a function to call before the request is carried out. `spoil` is applied to
    large files as they are stored.
    """

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.address = self.url.removesuffix("/v1")
        self.storage = self.address.replace("127.0.0.1", "localhost")  # another host, as on the Hub
        self.lock = threading.RLock()
        self.users = {TOKEN: "somebody"}
        self.repos: dict[str, Repo] = {}
        self.objects: dict[str, bytes] = {}
        self.log: list[str] = []
        self.keys: set[str] = set()
        self.behave()

    def behave(self) -> None:
        """No more faults."""
        self.faults: dict[str, list[Fault]] = {}
        self.spoil: Callable[[bytes], bytes] = lambda data: data

    def head(self, repo: str) -> str:
        return self.repos[repo].refs["main"]

    def files(self, repo: str, revision: str = "main") -> dict[str, bytes]:
        """The files of a revision, as they are stored."""
        return {
            path: self.objects[f"{repo}/{file.sha256}"] if file.sha256 else file.data
            for path, file in self._at(repo, revision)[1].items()
        }

    def commit(self, repo: str, path: str, data: bytes) -> str:
        """Somebody else's commit to main."""
        return self.repos[repo].add("main", {**self._at(repo, "main")[1], path: small(data)})

    def store(self, repo: str, data: bytes) -> None:
        """Put a large file right."""
        self.objects[f"{repo}/{hashlib.sha256(data).hexdigest()}"] = data

    def _at(self, repo: str, revision: str) -> tuple[str, Files]:
        if repo not in self.repos:
            raise Refused(404, "Repository not found", "RepoNotFound")
        oid = self.repos[repo].find(revision)
        if oid is None:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return oid, self.repos[repo].commits[oid]

    def on_whoami(self, request: Request) -> Any:
        if request.user is None:
            raise Refused(401, "Invalid username or password.")
        return {"type": "user", "name": request.user, "orgs": [], "auth": {"type": "access_token"}}

    def on_create(self, request: Request) -> Any:
        name = f"{request.json['organization']}/{request.json['name']}"
        if request.json["type"] != "dataset":
            raise Refused(400, "only datasets here")
        if name in self.repos:
            raise Refused(409, "You already created this dataset repo")
        self.repos[name] = Repo()
        self.repos[name].add("main", {".gitattributes": small(ATTRIBUTES)})
        return {"url": f"{self.address}/datasets/{name}", "name": name, "id": "0"}

    def on_yaml(self, request: Request) -> Any:
        """The front matter of a card is YAML with exactly one default configuration, if it names several."""
        head = re.match(r"---\n(.*?)\n---\n", request.json["content"], re.DOTALL)
        try:
            card = yaml.safe_load(head[1]) if head else {}
        except yaml.YAMLError as error:
            raise Refused(400, f"invalid metadata: {error}") from None
        defaults = [config for config in card.get("configs", []) if config.get("default")]
        if len(defaults) > 1:
            raise Refused(400, "more than one default configuration")
        return {"errors": [], "warnings": []}

    def on_info(self, request: Request) -> Any:
        oid, files = self._at(request.parts["repo"], request.parts.get("revision", "main"))
        about = {"_id": "0", "id": request.parts["repo"], "sha": oid, "private": False, "disabled": False}
        more = {"gated": False, "tags": [], "downloads": 0, "likes": 0, "lastModified": DATE, "createdAt": DATE}
        author = request.parts["repo"].split("/")[0]
        return {**about, **more, "author": author, "siblings": [{"rfilename": path} for path in files]}

    def on_refs(self, request: Request) -> Any:
        self._at(request.parts["repo"], "main")
        repo = self.repos[request.parts["repo"]]

        def listed(named: dict[str, str], prefix: str) -> list[dict[str, str]]:
            return [
                {"name": name.removeprefix("refs/pr/"), "ref": f"{prefix}{name}", "targetCommit": oid}
                for name, oid in named.items()
            ]

        requests = {name: oid for name, oid in repo.refs.items() if name.startswith("refs/pr/")}
        branches = {name: oid for name, oid in repo.refs.items() if name not in requests}
        found = {"branches": listed(branches, "refs/heads/"), "tags": listed(repo.tags, "refs/tags/"), "converts": []}
        return {**found, "pullRequests": listed(requests, "")} if "include_prs" in request.query else found

    @staticmethod
    def _entry(path: str, file: File) -> dict[str, Any]:
        entry: dict[str, Any] = {"type": "file", "oid": file.git_oid, "size": file.size, "path": path}
        if file.sha256:
            entry["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": len(file.data)}
        return entry

    @staticmethod
    def _folder(path: str) -> dict[str, Any]:
        return {"type": "directory", "oid": hashlib.sha1(path.encode()).hexdigest(), "size": 0, "path": path}

    def on_tree(self, request: Request) -> Any:
        _, files = self._at(request.parts["repo"], request.parts["revision"])
        below = request.parts["path"].rstrip("/") + "/" if "path" in request.parts else ""
        recursive = request.query.get("recursive", ["false"])[0].lower() == "true"
        entries, folders = [], dict[str, None]()
        for path, file in sorted(files.items()):
            inside = path.removeprefix(below).split("/") if path.startswith(below) else []
            folders |= dict.fromkeys(below + "/".join(inside[:depth]) for depth in range(1, len(inside)))
            entries += [self._entry(path, file)] if recursive or len(inside) == 1 else []
            entries = [entry for entry in entries if entry["path"].startswith(below)]
        if below and not entries and not folders:
            raise Refused(404, f"{below} does not exist on this revision", "EntryNotFound")
        shown = [path for path in folders if recursive or "/" not in path.removeprefix(below)]
        return [*map(self._folder, shown), *entries]

    def on_paths(self, request: Request) -> Any:
        _, files = self._at(request.parts["repo"], request.parts["revision"])
        found = []
        for path in parse_qs(request.body.decode())["paths"]:
            if path in files:
                found.append(self._entry(path, files[path]))
            elif any(name.startswith(path.rstrip("/") + "/") for name in files):
                found.append(self._folder(path))
        return found

    def on_preupload(self, request: Request) -> Any:
        _, files = self._at(request.parts["repo"], request.parts["revision"])
        return {
            "files": [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["path"].endswith(".parquet") else "regular",
                    "shouldIgnore": False,
                    "oid": files[file["path"]].oid if file["path"] in files else None,
                }
                for file in request.json["files"]
            ]
        }

    def on_batch(self, request: Request) -> Any:
        def entry(wanted: dict[str, Any]) -> dict[str, Any]:
            key = f"{request.parts['repo']}/{wanted['oid']}"
            actions = {
                "upload": {"href": f"{self.storage}/lfs/{key}"},
                "verify": {"href": f"{self.address}/lfs/{key}/verify"},
            }
            there = key in self.objects
            return {"oid": wanted["oid"], "size": wanted["size"], **({} if there else {"actions": actions})}

        return {"transfer": "basic", "objects": [entry(wanted) for wanted in request.json["objects"]]}

    def on_upload(self, request: Request) -> Any:
        if hashlib.sha256(request.body).hexdigest() != request.parts["key"].rpartition("/")[2]:
            raise Refused(400, "these bytes have another hash")
        self.objects[request.parts["key"]] = self.spoil(request.body)
        return {}

    def on_check(self, request: Request) -> Any:
        if len(self.objects.get(request.parts["key"], b"")) != request.json["size"]:
            raise Refused(404, "the object is not there")
        return {}

    def on_object(self, request: Request) -> bytes:
        if request.parts["key"] not in self.objects:
            raise Refused(404, "no such object")
        return self.objects[request.parts["key"]]

    def on_commit(self, request: Request) -> Any:
        repo, revision = request.parts["repo"], request.parts["revision"]
        parent, there = self._at(repo, revision)
        header, *operations = [json.loads(line) for line in request.body.splitlines()]
        if header["value"].get("parentCommit", parent) != parent:
            raise Refused(412, "A commit has happened since. Please refresh and try again.")
        files = dict(there)
        for operation in operations:
            value, path = operation["value"], operation["value"]["path"]
            if operation["key"] == "file":
                files[path] = small(base64.b64decode(value["content"]))
            elif operation["key"] == "lfsFile":
                if f"{repo}/{value['oid']}" not in self.objects:
                    raise Refused(400, f"LFS pointer of {path} points to a file that does not exist")
                files[path] = large(value["oid"], value["size"])
            elif operation["key"] == "deletedFile" and path in files:
                del files[path]
            else:
                raise Refused(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
        number = 1 + sum(name.startswith("refs/pr/") for name in self.repos[repo].refs)
        pull = "1" in request.query.get("create_pr", [])
        oid = self.repos[repo].add(f"refs/pr/{number}" if pull else revision, files)
        url = f"{self.address}/datasets/{repo}"
        said = {"success": True, "commitOid": oid, "commitUrl": f"{url}/commit/{oid}", "hookOutput": ""}
        return {**said, "pullRequestUrl": f"{url}/discussions/{number}"} if pull else said

    def on_tag(self, request: Request) -> Any:
        oid, _ = self._at(request.parts["repo"], request.parts["revision"])
        tags, name = self.repos[request.parts["repo"]].tags, request.json["tag"]
        if name in tags:
            raise Refused(409, f"Tag {name} already exists")
        tags[name] = oid
        return {}

    def on_resolve(self, request: Request) -> tuple[str, File, str]:
        oid, files = self._at(request.parts["repo"], request.parts["revision"])
        if request.parts["path"] not in files:
            raise Refused(404, "Entry not found", "EntryNotFound")
        file = files[request.parts["path"]]
        return oid, file, f"{self.storage}/lfs/{request.parts['repo']}/{file.sha256}"
