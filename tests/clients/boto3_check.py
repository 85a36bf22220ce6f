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


def batches(sm):
    names = [f"boto/batch/{n:02}" for n in range(25)]
    for name in names:
        sm.create_secret(Name=name, SecretString=f"value of {name}")
    sm.create_secret(Name="boto/batch/binary", SecretBinary=bytes(range(256)))
    filters = [{"Key": "name", "Values": ["boto/batch/"]}]
    found, request = [], {"Filters": filters, "MaxResults": 10}
    while True:
        page = sm.batch_get_secret_value(**request)
        assert len(page["SecretValues"]) <= 10 and page["Errors"] == [], page
        found += page["SecretValues"]
        if "NextToken" not in page:
            break
        request["NextToken"] = page["NextToken"]
    assert {entry["Name"] for entry in found} == {*names, "boto/batch/binary"} and len(found) == 26
    for entry in found:
        got = sm.get_secret_value(SecretId=entry["ARN"])
        del got["ResponseMetadata"]
        assert entry == got, (entry, got)
    asked = [names[3], "boto/nobody", "boto/batch/binary", names[1]]
    batch = sm.batch_get_secret_value(SecretIdList=asked)
    assert [entry["Name"] for entry in batch["SecretValues"]] == [names[3], "boto/batch/binary", names[1]]
    assert [error["SecretId"] for error in batch["Errors"]] == ["boto/nobody"]
    assert batch["Errors"][0]["ErrorCode"] == "ResourceNotFoundException"
    refused("InvalidParameterException", sm.batch_get_secret_value,
            "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.",
            SecretIdList=names[:2], MaxResults=2)
    if not MOTO:
        refused("ValidationException", sm.batch_get_secret_value, SecretIdList=names[:21])
    for name in [*names, "boto/batch/binary"]:
        sm.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def passwords(sm):
    draw = lambda **request: sm.get_random_password(**request)["RandomPassword"]
    assert len(draw()) == 32 and draw() != draw()
    for length in (4, 4096):
        assert len(draw(PasswordLength=length)) == length
    for _ in range(20):
        password = draw(PasswordLength=4)
        kinds = [str.isupper, str.islower, str.isdigit, lambda c: not c.isalnum()]
        assert all(any(kind(c) for c in password) for kind in kinds), password
    only = draw(ExcludeUppercase=True, ExcludeLowercase=True, ExcludePunctuation=True, ExcludeCharacters="02468")
    assert set(only) <= set("13579"), only
    assert " " in draw(PasswordLength=4096, IncludeSpace=True)
    refused("InvalidParameterException", sm.get_random_password,
            "Password length is too short based on the required types.", PasswordLength=3)
    if not MOTO:
        assert len(draw(PasswordLength=1, RequireEachIncludedType=False)) == 1
        refused("InvalidParameterException", sm.get_random_password,
                "All characters of the desired type have been excluded.", ExcludeCharacters="0123456789")


def regions():
    one, two = client("us-east-1"), client("eu-central-1")
    one.create_secret(Name="boto/region", SecretString="one")
    two.create_secret(Name="boto/region", SecretString="two")
    assert one.get_secret_value(SecretId="boto/region")["SecretString"] == "one"
    got = two.get_secret_value(SecretId="boto/region")
    assert got["SecretString"] == "two" and ":eu-central-1:" in got["ARN"], got
    for sm in (one, two):
        sm.delete_secret(SecretId="boto/region", ForceDeleteWithoutRecovery=True)


def identity():
    """One endpoint for all services: STS answers, the others say which variable to use."""
    endpoint = os.environ["AWS_ENDPOINT_URL_SECRETS_MANAGER"]
    for region in ("us-east-1", "eu-central-1"):
        sts = boto3.client("sts", endpoint_url=endpoint, region_name=region)
        who = sts.get_caller_identity()
        account = who["Account"]
        assert who["Arn"] == f"arn:aws:iam::{account}:root" and who["UserId"] == account, who
        assert who["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"] == who["ResponseMetadata"]["RequestId"]
    arn = client("us-east-1").create_secret(Name="boto/account")["ARN"]
    assert arn.split(":")[4] == account, (arn, account)
    client("us-east-1").delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    refused_with = [
        ("sts", "get_session_token", "InvalidAction", "GetSessionToken"),
        ("sqs", "list_queues", "NotImplementedException", "AWS_ENDPOINT_URL_SECRETS_MANAGER"),
        ("s3", "list_buckets", "NotImplemented", "AWS_ENDPOINT_URL_SECRETS_MANAGER"),
        ("lambda", "list_functions", "NotImplementedException", "AWS_ENDPOINT_URL_SECRETS_MANAGER"),
    ]
    for service, operation, code, words in refused_with:
        other = boto3.client(service, endpoint_url=endpoint, region_name="us-east-1")
        try:
            getattr(other, operation)()
        except ClientError as error:
            assert error.response["Error"]["Code"] == code, error
            assert words in error.response["Error"]["Message"], error
        else:
            raise AssertionError(f"accepted: {service} {operation}")
    for pair in (("AKIANOBODY", "x", None), (None, "x", None), (None, None, "a token")):
        key, secret, token = pair
        session = boto3.Session(
            aws_access_key_id=key or os.environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=secret or os.environ["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=token,
        )
        for service, operation, codes in (
            ("sts", "get_caller_identity", ("InvalidClientTokenId", "SignatureDoesNotMatch")),
            ("secretsmanager", "list_secrets", ("UnrecognizedClientException", "InvalidSignatureException")),
        ):
            stranger = session.client(service, endpoint_url=endpoint, region_name="us-east-1")
            expected = codes[1] if secret and not key else codes[0]
            try:
                getattr(stranger, operation)()
            except ClientError as error:
                assert error.response["Error"]["Code"] == expected, error
            else:
                raise AssertionError(f"accepted: {pair}")


def replicas():
    home, away = client("us-east-1"), client("eu-central-1")
    name = "boto/replica"
    made = home.create_secret(Name=name, SecretString="one", AddReplicaRegions=[{"Region": "eu-central-1"}])
    entry = {"Region": "eu-central-1", "KmsKeyId": "alias/aws/secretsmanager", "Status": "InSync",
             "StatusMessage": "Replication succeeded"}
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
            f"You can't delete secret {name} that still has replica regions [eu-central-1].", SecretId=name)
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
    batches(sm)
    passwords(sm)
    regions()
    replicas()
    if not MOTO:
        identity()
    print(f"boto3 {boto3.__version__}: all calls answered as AWS does")


main()
