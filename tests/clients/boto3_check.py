"""boto3 against a running server, whose exported lines are in the environment.

DEVIATES=moto leaves out what moto is known to do differently.
"""

import datetime
import os
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

MOTO = os.environ.get("DEVIATES") == "moto"


def client(region):
    config = Config(retries={"max_attempts": 1}, region_name=region)
    return boto3.client("secretsmanager", config=config)


def refused(code, call, text=None, **request):
    try:
        call(**request)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        if not MOTO:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, error
            uuid.UUID(error.response["ResponseMetadata"]["RequestId"])
            if text is not None:
                assert error.response["Error"]["Message"] == text, error
    else:
        raise AssertionError(f"accepted: {request}")


def values(sm):
    name = "boto/values"
    arn = sm.create_secret(Name=name)["ARN"]
    kinds = [
        {"SecretString": "a"},
        {"SecretString": "\0 \t\r\n \"\\/ \u00e9 \u2028 \U0001f511"},
        {"SecretString": "x" * 65536},
        {"SecretString": "\u00e9" * 32768},
        {"SecretBinary": b"\0"},
        {"SecretBinary": bytes(range(256))},
        {"SecretBinary": bytes(range(256)) * 256},
    ]
    ids = [sm.put_secret_value(SecretId=arn, **kind)["VersionId"] for kind in kinds]
    for version, kind in zip(ids, kinds):
        got = sm.get_secret_value(SecretId=name, VersionId=version)
        for member in ("SecretString", "SecretBinary"):
            assert got.get(member) == kind.get(member), (version, member)
        assert isinstance(got["CreatedDate"], datetime.datetime)
    if not MOTO:
        text = (
            "1 validation error detected: Value at 'secretString' failed to satisfy constraint: "
            "Member must have length less than or equal to 65536"
        )
        refused("ValidationException", sm.put_secret_value, text, SecretId=name, SecretString="x" * 65537)
        refused("ValidationException", sm.put_secret_value, SecretId=name, SecretBinary=b"x" * 65537)
        refused("InvalidRequestException", sm.put_secret_value,
                "You must provide either SecretString or SecretBinary.", SecretId=name)
    sm.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def labels(sm):
    name = "boto/labels"
    token = [str(uuid.uuid4()) for _ in range(5)]
    sm.create_secret(Name=name, SecretString="1", ClientRequestToken=token[1])
    put = sm.put_secret_value(
        SecretId=name, SecretString="2", ClientRequestToken=token[2], VersionStages=["AWSPENDING"]
    )
    assert put["VersionStages"] == ["AWSPENDING"], put
    sm.update_secret_version_stage(
        SecretId=name,
        VersionStage="AWSCURRENT",
        RemoveFromVersionId=token[1],
        MoveToVersionId=token[2],
    )
    stages = sm.describe_secret(SecretId=name)["VersionIdsToStages"]
    assert {key: sorted(value) for key, value in stages.items()} == {
        token[1]: ["AWSPREVIOUS"],
        token[2]: ["AWSCURRENT", "AWSPENDING"],
    }, stages
    put = sm.put_secret_value(SecretId=name, SecretString="3", ClientRequestToken=token[3])
    assert put["VersionStages"] == ["AWSCURRENT"], put
    if MOTO:
        return sm.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    stages = sm.describe_secret(SecretId=name)["VersionIdsToStages"]
    assert stages == {token[2]: ["AWSPREVIOUS"], token[3]: ["AWSCURRENT"]}, stages
    listed = sm.list_secret_version_ids(SecretId=name)["Versions"]
    assert [version["VersionId"] for version in listed] == [token[2], token[3]], listed
    listed = sm.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"]
    assert [version["VersionId"] for version in listed] == token[1:4], listed
    assert "VersionStages" not in listed[0], listed
    assert listed[0]["KmsKeyIds"] == ["DefaultEncryptionKey"], listed
    replay = sm.put_secret_value(SecretId=name, SecretString="2", ClientRequestToken=token[2])
    assert replay["VersionStages"] == ["AWSPREVIOUS"], replay
    refused("ResourceExistsException", sm.put_secret_value,
            SecretId=name, SecretString="other", ClientRequestToken=token[2])
    refused("ResourceNotFoundException", sm.get_secret_value,
            "Secrets Manager can't find the specified secret value for staging label: none",
            SecretId=name, VersionStage="none")
    sm.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def metadata(sm):
    name = "boto/metadata"
    sm.create_secret(Name=name, Description="", Tags=[{"Key": "k", "Value": "v"}])
    described = sm.describe_secret(SecretId=name)
    assert described["Tags"] == [{"Key": "k", "Value": "v"}], described
    if not MOTO:
        for absent in ("Description", "KmsKeyId", "LastAccessedDate", "VersionIdsToStages", "DeletedDate"):
            assert absent not in described, described
    sm.update_secret(SecretId=name, SecretString="v")
    sm.get_secret_value(SecretId=name)
    if not MOTO:
        accessed = sm.describe_secret(SecretId=name)["LastAccessedDate"].astimezone(datetime.timezone.utc)
        today = datetime.datetime.now(datetime.timezone.utc).date()
        assert accessed.time() == datetime.time(0) and accessed.date() == today, accessed
    sm.untag_resource(SecretId=name, TagKeys=["k"])
    assert sm.describe_secret(SecretId=name)["Tags"] == []
    pages = sm.get_paginator("list_secrets").paginate(PaginationConfig={"PageSize": 1})
    assert name in [secret["Name"] for page in pages for secret in page["SecretList"]]
    sm.delete_secret(SecretId=name)
    assert sm.describe_secret(SecretId=name)["DeletedDate"]
    names = [secret["Name"] for secret in sm.list_secrets()["SecretList"]]
    assert name not in names, names
    sm.restore_secret(SecretId=name)
    sm.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    refused("ResourceNotFoundException", sm.describe_secret,
            "Secrets Manager can't find the specified secret.", SecretId=name)


def regions():
    one, two = client("us-east-1"), client("eu-central-1")
    one.create_secret(Name="boto/region", SecretString="one")
    two.create_secret(Name="boto/region", SecretString="two")
    assert one.get_secret_value(SecretId="boto/region")["SecretString"] == "one"
    got = two.get_secret_value(SecretId="boto/region")
    assert got["SecretString"] == "two" and ":eu-central-1:" in got["ARN"], got
    for sm in (one, two):
        sm.delete_secret(SecretId="boto/region", ForceDeleteWithoutRecovery=True)


def replicas():
    home, away = client("us-east-1"), client("eu-central-1")
    name = "boto/replica"
    made = home.create_secret(Name=name, SecretString="one", AddReplicaRegions=[{"Region": "eu-central-1"}])
    entry = {"Region": "eu-central-1", "KmsKeyId": "alias/aws/secretsmanager", "Status": "InSync"}
    assert made["ReplicationStatus"] == [entry], made
    home.put_secret_value(SecretId=name, SecretString="two")
    got = away.get_secret_value(SecretId=name)
    assert got["SecretString"] == "two" and ":eu-central-1:" in got["ARN"], got
    assert away.describe_secret(SecretId=name)["PrimaryRegion"] == "us-east-1"
    found = away.list_secrets(Filters=[{"Key": "primary-region", "Values": ["us-"]}])["SecretList"]
    assert [secret["ARN"] for secret in found] == [got["ARN"]], found
    refused("InvalidParameterException", away.put_secret_value,
            "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
            SecretId=name, SecretString="three")
    refused("InvalidParameterException", home.delete_secret,
            f"You can't delete secret {name} that still has replica regions [eu-central-1]", SecretId=name)
    if not MOTO:
        assert away.stop_replication_to_replica(SecretId=name)["ARN"] == got["ARN"]
        assert "PrimaryRegion" not in home.describe_secret(SecretId=name)
        home.replicate_secret_to_regions(SecretId=name, AddReplicaRegions=[{"Region": "eu-west-2"}])
        left = home.remove_regions_from_replication(SecretId=name, RemoveReplicaRegions=["eu-west-2"])
        assert left["ReplicationStatus"] == [], left
        home.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        assert away.get_secret_value(SecretId=name)["SecretString"] == "two"
        away.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def main():
    sm = client(os.environ["AWS_REGION"])
    values(sm)
    labels(sm)
    metadata(sm)
    regions()
    replicas()
    print(f"boto3 {boto3.__version__}: all calls answered as AWS does")


main()
