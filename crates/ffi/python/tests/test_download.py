"""Downloads from a server on this machine."""

from __future__ import annotations

import hashlib
import re
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import List, Optional

import hala

#: More than comes in one piece.
DATA = bytes(range(256)) * 40_000
SHA256 = hashlib.sha256(DATA).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves DATA as /file, from any byte on."""

    #: What was asked for of /file: `None` for all, or the header Range.
    asked: List[Optional[str]] = []

    def do_GET(self) -> None:
        if self.path != "/file":
            self.send_error(404)
            return
        wanted = self.headers.get("Range")
        self.asked.append(wanted)
        found = re.fullmatch(r"bytes=(\d+)-", wanted or "")
        start = int(found[1]) if found else 0
        self.send_response(206 if found else 200)
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(len(DATA) - start))
        if found:
            self.send_header("Content-Range", f"bytes {start}-{len(DATA) - 1}/{len(DATA)}")
        self.end_headers()
        try:
            self.wfile.write(DATA[start:])
        except OSError:
            # Whoever asked has gone, as the tests do.
            pass

    def log_message(self, format: str, *args: object) -> None:
        pass


@unittest.skipUnless("hub" in hala.features, "this library downloads nothing")
class Download(unittest.TestCase):
    def setUp(self) -> None:
        Handler.asked = []
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_port}"
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "deep" / "file"

    def test_a_file_comes_whole_and_is_not_fetched_again(self) -> None:
        told: List[hala.Progress] = []
        path = hala.download(url=f"{self.url}/file", path=self.path, sha256=SHA256, on_progress=told.append)
        self.assertEqual((path, path.read_bytes()), (self.path, DATA))
        coming = [step for step in told if step.kind == "downloading"]
        self.assertEqual((coming[-1].done, coming[-1].total), (len(DATA), len(DATA)))
        hala.download(url=f"{self.url}/file", path=self.path, sha256=SHA256)
        self.assertEqual(len(Handler.asked), 1)

    def test_one_that_was_stopped_goes_on(self) -> None:
        with self.assertRaises(hala.Aborted):
            hala.download(
                url=f"{self.url}/file", path=self.path, sha256=SHA256, on_progress=lambda step: step.done == 0
            )
        self.assertFalse(self.path.exists())
        kept = self.path.with_name("file.part").stat().st_size
        self.assertGreater(kept, 0)
        hala.download(url=f"{self.url}/file", path=self.path, sha256=SHA256)
        self.assertEqual(self.path.read_bytes(), DATA)
        self.assertEqual(Handler.asked, [None, f"bytes={kept}-"])

    def test_a_flag_and_an_exception_stop_it(self) -> None:
        cancel = hala.Cancel()
        cancel.set()
        with self.assertRaises(hala.Aborted):
            hala.download(url=f"{self.url}/file", path=self.path, cancel=cancel)

        def stop(_: hala.Progress) -> None:
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            hala.download(url=f"{self.url}/file", path=self.path, on_progress=stop)

    def test_what_is_wrong_has_its_class(self) -> None:
        with self.assertRaises(hala.NotFound) as caught:
            hala.download(url=f"{self.url}/none", path=self.path)
        self.assertIsInstance(caught.exception, FileNotFoundError)
        with self.assertRaises(hala.DownloadError) as other:
            hala.download(url=f"{self.url}/file", path=self.path, sha256="0" * 64)
        self.assertEqual(other.exception.code, "corrupt-download")
        for wrong in ({"url": "ftp://nowhere/file", "path": self.path}, {"url": f"{self.url}/file"}):
            with self.assertRaises(hala.InvalidRequest):
                hala.download(**wrong)
        self.assertFalse(self.path.exists())
