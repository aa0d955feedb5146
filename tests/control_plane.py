"""A Kubernetes API server of the tests' own: etcd, kube-apiserver and kube-controller-manager on loopback.

Its Services have addresses of loopback too (`--service-cluster-ip-range`), so a webhook that is configured by Service
is reached by listening on the Service's address. No kubelet runs: a test says itself that a Pod is ready.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.certificate_authority import by_the_letter

Done = subprocess.CompletedProcess[str]
SERVICES = "127.100.0"
"""The first three numbers of the addresses of Services."""
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Authority:
    """What signs the certificates of the server and of its users."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
        self.certificate = folder / "ca.crt"
        own = self._sign(self._name, self._key, x509.BasicConstraints(ca=True, path_length=None), [])
        self.certificate.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, basic: x509.BasicConstraints, names: Sequence[Any]
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=2))
            .add_extension(basic, critical=True)
        )
        builder = by_the_letter(builder, key.public_key(), self._key.public_key(), authority=basic.ca)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def issue(self, user: str, groups: Sequence[str] = (), names: Sequence[Any] = ()) -> tuple[Path, Path]:
        """Files with the certificate and the key of `user`."""
        key = ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        subject = x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, user)])
        certificate = self._sign(subject, key, x509.BasicConstraints(ca=False, path_length=None), names)
        stem = user.replace(":", "-").replace("/", "-")
        paths = self.folder / f"{stem}.crt", self.folder / f"{stem}.key"
        paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        form = serialization.PrivateFormat.TraditionalOpenSSL
        paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        return paths


class ControlPlane:
    """A running API server with what belongs to it."""

    def __init__(self, programs: Mapping[str, Path], folder: Path, options: Sequence[str] = ()) -> None:
        self.programs = programs
        self.options = options
        self.folder = folder
        self.authority = Authority(folder)
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self._processes: list[tuple[str, subprocess.Popen[bytes]]] = []
        self.kubeconfig = self.kubeconfig_of("admin", ["system:masters"])

    def kubeconfig_of(self, user: str, groups: Sequence[str] = (), namespace: str = "default") -> Path:
        """A kubeconfig for `user`, of `groups`: whatever name an API server knows users by."""
        certificate, key = self.authority.issue(user, groups)
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "c", "cluster": {"server": self.url, "certificate-authority": str(self.authority.certificate)}}
            ],
            "users": [{"name": "u", "user": {"client-certificate": str(certificate), "client-key": str(key)}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": namespace}}],
            "current-context": "x",
        }
        path = self.folder / f"{certificate.stem}.kubeconfig"
        path.write_text(yaml.safe_dump(document))
        return path

    def kubeconfig_of_account(self, namespace: str, name: str) -> Path:
        """A kubeconfig with exactly the rights of a service account."""
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
        return self.kubeconfig_of(f"system:serviceaccount:{namespace}:{name}", groups, namespace)

    def start(self) -> None:
        """Start everything, and wait until it answers."""
        etcd, peer = free_port(), free_port()
        etcd_url = f"http://127.0.0.1:{etcd}"
        self._run(
            "etcd",
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={etcd_url}",
            f"--advertise-client-urls={etcd_url}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
            "--unsafe-no-fsync" if self._etcd_can("--unsafe-no-fsync") else "--log-level=error",
        )
        addresses = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        certificate, key = self.authority.issue("kube-apiserver", (), addresses)
        options = [
            f"--etcd-servers={etcd_url}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            f"--client-ca-file={self.authority.certificate}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            f"--service-cluster-ip-range={SERVICES}.0/24",
            "--disable-admission-plugins=ServiceAccount",
            "--endpoint-reconciler-type=none",
            *self.options,
        ]
        if self.version < (1, 23):
            options.append("--feature-gates=EphemeralContainers=true")
        self._run("kube-apiserver", *options)
        self._wait(self.is_ready, "kube-apiserver")
        self._run(
            "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig}",
            "--controllers=deployment,replicaset,statefulset,job,cronjob",
            "--leader-elect=false",
            # Each controller as a user of its own, as clusters have it: that is by what webhooks know them.
            "--use-service-account-credentials=true",
            "--port=0" if self.version < (1, 23) else "--v=0",
            f"--cert-dir={self.folder}",
            f"--secure-port={free_port()}",
            "--bind-address=127.0.0.1",
        )

    @cached_property
    def version(self) -> tuple[int, int]:
        """Major and minor version."""
        done = subprocess.run(
            [self.programs["kube-apiserver"], "--version"], capture_output=True, text=True, check=True
        )
        major, minor, *_ = done.stdout.strip().rpartition("v")[2].split(".")
        return int(major), int(minor)

    def is_ready(self) -> bool:
        """Whether the API server says that it is ready."""
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        context.load_cert_chain(self.folder / "admin.crt", self.folder / "admin.key")
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", context=context, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        """Stop everything, in the order in which it depends on the rest."""
        for _, process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def log(self, program: str) -> str:
        """What `program` has written."""
        return (self.folder / f"{program}.log").read_text(errors="replace")

    def kubectl(self, *words: str, text: str | None = None, user: Path | None = None) -> Done:
        """Run kubectl, as the administrator unless another kubeconfig is given."""
        return self.client("kubectl", *words, text=text, user=user)

    def client(self, program: str, *words: str, text: str | None = None, user: Path | None = None) -> Done:
        """Run a client program with a kubeconfig."""
        environment = {**os.environ, "KUBECONFIG": str(user or self.kubeconfig), "HOME": str(self.folder)}
        return subprocess.run(
            [str(self.programs[program]), *words],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            timeout=120,
        )

    def apply(self, *objects: Mapping[str, Any], words: Sequence[str] = (), user: Path | None = None) -> str:
        """Apply objects; what was said. Fails the test where the API server refuses them."""
        done = self.try_apply(*objects, words=words, user=user)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def try_apply(self, *objects: Mapping[str, Any], words: Sequence[str] = (), user: Path | None = None) -> Done:
        """Apply objects, whatever comes of it."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        return self.kubectl("apply", "-f", "-", *words, text=text, user=user)

    def get(self, *words: str) -> Any:
        """What `kubectl get -o json` prints, as values."""
        done = self.kubectl("get", *words, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def set_status(self, one: Any, status: Mapping[str, Any]) -> None:
        """Say of an object what a kubelet, or another part of a cluster, would."""
        metadata = one["metadata"]
        words = ["patch", one["kind"].lower(), metadata["name"], "-n", metadata["namespace"], "--subresource=status"]
        done = self.kubectl(*words, "--type=merge", "-p", json.dumps({"status": status}))
        assert done.returncode == 0, done.stderr

    def namespace(self, name: str, **labels: str) -> str:
        """A new namespace, with the label that newer API servers add by themselves."""
        metadata = {"name": name, "labels": {"kubernetes.io/metadata.name": name, **labels}}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        return name

    def wait(self, holds: Any, what: str, seconds: float = 60) -> None:
        """Wait until `holds()`."""
        self._wait(holds, what, seconds)

    def _etcd_can(self, option: str) -> bool:
        done = subprocess.run([self.programs["etcd"], "--help"], capture_output=True, text=True, check=False)
        return option in done.stdout + done.stderr

    def _run(self, program: str, *options: str) -> None:
        log = (self.folder / f"{program}.log").open("ab")
        with log:
            words = [str(self.programs[program]), *options]
            process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder)
        self._processes.append((program, process))

    def _wait(self, holds: Any, what: str, seconds: float = 120) -> None:
        until = time.monotonic() + seconds
        while not holds():
            for program, process in self._processes:
                assert process.poll() is None, f"{program} has ended: {self.log(program)[-3000:]}"
            assert time.monotonic() < until, f"waited {seconds} s for {what}"
            time.sleep(0.2)


@contextmanager
def running_control_plane(programs: Mapping[str, Path], *options: str) -> Iterator[ControlPlane]:
    """An API server with these options too, which is stopped, and removed, at the end."""
    folder = Path(tempfile.mkdtemp(prefix="navicert-kubernetes-"))
    server = ControlPlane(programs, folder, options)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
