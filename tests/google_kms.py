"""A gRPC server that is Google Cloud KMS as far as a signer asks for it. Run in the environment that has its client:
`python google_kms.py CERTIFICATE KEY PRIVATE` prints its port; `PRIVATE` is the key (P-256, PEM) that it signs with.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from google.cloud.kms_v1 import types

KEY = "projects/p1/locations/global/keyRings/builds/cryptoKeys/release/cryptoKeyVersions/3"


def main(certificate: str, server_key: str, private_key: str) -> None:
    """Serve until standard input ends."""
    private = load_pem_private_key(Path(private_key).read_bytes(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)

    def get_public_key(request, context):
        if request.name != KEY:
            context.abort(grpc.StatusCode.NOT_FOUND, f"{request.name} not found.")
        public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        algorithm = types.CryptoKeyVersion.CryptoKeyVersionAlgorithm.EC_SIGN_P256_SHA256
        pem = types.PublicKey.PublicKeyFormat.PEM
        return types.PublicKey(
            name=KEY, pem=public.decode(), algorithm=algorithm, public_key={"data": public}, public_key_format=pem
        )

    def asymmetric_sign(request, context):
        if not dict(context.invocation_metadata()).get("authorization", "").startswith("Bearer "):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "no credentials")
        signature = private.sign(request.digest.sha256, ec.ECDSA(Prehashed(hashes.SHA256())))
        return types.AsymmetricSignResponse(name=request.name, signature=signature)

    methods = {
        "GetPublicKey": (get_public_key, types.GetPublicKeyRequest, types.PublicKey),
        "AsymmetricSign": (asymmetric_sign, types.AsymmetricSignRequest, types.AsymmetricSignResponse),
    }
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            function, request_deserializer=asked.deserialize, response_serializer=answered.serialize
        )
        for name, (function, asked, answered) in methods.items()
    }
    server = grpc.server(ThreadPoolExecutor(4))
    service = "google.cloud.kms.v1.KeyManagementService"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    pair = (Path(server_key).read_bytes(), Path(certificate).read_bytes())
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(None)


if __name__ == "__main__":
    main(*sys.argv[1:])
