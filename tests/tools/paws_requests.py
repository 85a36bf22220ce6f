"""Writes tests/data/paws: requests as the R package paws sends them, signed with a fixed key and clock.

paws cannot be had from a registry of Python or JavaScript, so its requests are kept: the calls of its
documentation, its header set, its way to sign (no x-amz-content-sha256), a token where it makes one.
The key and the time are those of tests/wire/client.rs. Run without arguments from the repository.
"""

import hashlib
import hmac
import json
import pathlib

KEY_ID, SECRET = "AKIAWIRETEST", "a-secret-access-key-of-forty-characters!"
DATE, REGION = "20260102T030405Z", "us-east-1"
NAME = "MyTestDatabaseSecret"
CALLS = [
    ("create_secret", "CreateSecret", {
        "Name": NAME,
        "ClientRequestToken": "EXAMPLE1-90ab-cdef-fedc-ba987SECRET1",
        "Description": "My test database secret created with the CLI",
        "SecretString": '{"username":"david","password":"EXAMPLE-PASSWORD"}',
    }),
    ("put_secret_value", "PutSecretValue", {
        "SecretId": NAME,
        "ClientRequestToken": "EXAMPLE2-90ab-cdef-fedc-ba987EXAMPLE",
        "SecretString": '{"username":"david","password":"BnQw!XDWgaEeT9XGTT29"}',
    }),
    ("put_secret_value_raw", "PutSecretValue", {
        "SecretId": NAME,
        "ClientRequestToken": "9f2c8f0e-52c4-4f1e-9a58-0c6f9a4a7f11",
        "SecretBinary": "AAECA/8=",
        "VersionStages": ["string"],
    }),
    ("get_secret_value", "GetSecretValue", {"SecretId": NAME, "VersionStage": "AWSPREVIOUS"}),
    ("get_secret_value_raw", "GetSecretValue", {"SecretId": NAME, "VersionStage": "string"}),
]


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def request(operation, members):
    body = json.dumps(members, separators=(",", ":"), ensure_ascii=False)
    signed = {
        "content-length": str(len(body.encode())),
        "content-type": "application/x-amz-json-1.1",
        "host": "localhost",
        "x-amz-date": DATE,
        "x-amz-target": f"secretsmanager.{operation}",
    }
    names = ";".join(signed)
    lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
    canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body.encode()).hexdigest()}"
    scope = f"{DATE[:8]}/{REGION}/secretsmanager/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = mac(f"AWS4{SECRET}".encode(), DATE[:8])
    for part in (REGION, "secretsmanager", "aws4_request"):
        key = mac(key, part)
    signature = mac(key, f"AWS4-HMAC-SHA256\n{DATE}\n{scope}\n{digest}").hex()
    head = [
        "POST / HTTP/1.1",
        "Host: localhost",
        "User-Agent: paws/0.9.0 (R4.4.1; linux-gnu; x86_64)",
        "Accept: */*",
        "Accept-Encoding: deflate, gzip",
        "Content-Type: application/x-amz-json-1.1",
        f"X-Amz-Target: secretsmanager.{operation}",
        f"X-Amz-Date: {DATE}",
        f"Authorization: AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope}, SignedHeaders={names}, "
        f"Signature={signature}",
        f"Content-Length: {len(body.encode())}",
    ]
    return "\r\n".join(head) + "\r\n\r\n" + body


def main():
    folder = pathlib.Path(__file__).parent.parent / "data" / "paws"
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, operation, members) in enumerate(CALLS, 1):
        (folder / f"{number}_{name}.http").write_bytes(request(operation, members).encode())


main()
