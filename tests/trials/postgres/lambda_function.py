"""Rotates the password of a PostgreSQL user, with the interface of AWS's template for one user: the address in
SECRETS_MANAGER_ENDPOINT, the four steps, the members of the secret. It logs in with `psql`, so that it needs no
driver."""

import json
import os
import subprocess

import boto3


def lambda_handler(event, context):
    client = boto3.client(
        "secretsmanager", endpoint_url=os.environ["SECRETS_MANAGER_ENDPOINT"]
    )
    arn, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    stages = client.describe_secret(SecretId=arn)["VersionIdsToStages"]
    if "AWSCURRENT" in stages[token]:
        return
    if "AWSPENDING" not in stages[token]:
        raise ValueError("version %s is not pending" % token)
    if step == "createSecret":
        create(client, arn, token)
    elif step == "setSecret":
        set_password(client, arn, token)
    elif step == "testSecret":
        if not logs_in(value(client, arn, "AWSPENDING", token)):
            raise ValueError("the pending password does not log in")
    elif step == "finishSecret":
        current = next(id for id, labels in stages.items() if "AWSCURRENT" in labels)
        client.update_secret_version_stage(
            SecretId=arn,
            VersionStage="AWSCURRENT",
            MoveToVersionId=token,
            RemoveFromVersionId=current,
        )
    else:
        raise ValueError("unknown step")


def value(client, arn, stage, token=None):
    which = {"VersionId": token} if token else {}
    found = client.get_secret_value(SecretId=arn, VersionStage=stage, **which)
    return json.loads(found["SecretString"])


def create(client, arn, token):
    secret = value(client, arn, "AWSCURRENT")
    try:
        value(client, arn, "AWSPENDING", token)
    except client.exceptions.ResourceNotFoundException:
        made = client.get_random_password(ExcludeCharacters=":/@\"'\\")
        secret["password"] = made["RandomPassword"]
        client.put_secret_value(
            SecretId=arn,
            ClientRequestToken=token,
            SecretString=json.dumps(secret),
            VersionStages=["AWSPENDING"],
        )


def set_password(client, arn, token):
    pending = value(client, arn, "AWSPENDING", token)
    if logs_in(pending):
        return
    current = value(client, arn, "AWSCURRENT")
    statement = "ALTER USER :\"who\" WITH PASSWORD :'new'"
    done = psql(current, statement, who=pending["username"], new=pending["password"])
    if done.returncode != 0:
        raise ValueError("the password cannot be set")


def logs_in(secret):
    return psql(secret, "SELECT NOW()").returncode == 0


def psql(secret, statement, **variables):
    # Variables come by standard input too: arguments are seen by all users of the machine.
    lines = ["\\set %s '%s'" % (name, text.replace("'", "''")) for name, text in variables.items()]
    return subprocess.run(
        [
            "psql", "-q", "-X", "-v", "ON_ERROR_STOP=1",
            "-h", secret["host"], "-p", str(secret["port"]),
            "-U", secret["username"], secret["dbname"],
        ],
        input="\n".join(lines + [statement + ";"]),
        env={"PATH": os.environ["PATH"], "PGPASSWORD": secret["password"]},
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
