"""Programs for Python that read secrets, unchanged, against a running server, whose exported lines are in the
environment. Their packages lie in the folder that PACKAGES names.
"""

import json
import os
import sys

sys.path.insert(0, os.environ["PACKAGES"])

import boto3

manager = boto3.client("secretsmanager", region_name="us-east-1")


def caching():
    """AWS's own cache: it refreshes by DescribeSecret, and reads by label."""
    from aws_secretsmanager_caching import SecretCache

    manager.create_secret(Name="cached", SecretString="one")
    cache = SecretCache(client=manager)
    assert cache.get_secret_string("cached") == "one"
    manager.put_secret_value(SecretId="cached", SecretString="two")
    assert cache.get_secret_string("cached") == "one", "it is not asked for again yet"
    fresh = SecretCache(client=manager)
    assert fresh.get_secret_string("cached") == "two"
    assert fresh.get_secret_string("cached", "AWSPREVIOUS") == "one"


def powertools():
    """Lambda Powertools: values, JSON, and a forced fetch."""
    from aws_lambda_powertools.utilities import parameters

    manager.create_secret(Name="powertools", SecretString=json.dumps({"user": "u"}))
    found = parameters.get_secret("powertools", transform="json")
    assert found == {"user": "u"}
    manager.put_secret_value(SecretId="powertools", SecretString="{}")
    assert parameters.get_secret("powertools", transform="json", force_fetch=True) == {}


def pydantic():
    """Settings whose fields are the members of a secret."""
    from pydantic_settings import AWSSecretsManagerSettingsSource, BaseSettings

    class Settings(BaseSettings):
        user: str
        port: int

        @classmethod
        def settings_customise_sources(cls, settings_cls, **_):
            return (AWSSecretsManagerSettingsSource(settings_cls, "settings", "us-east-1"),)

    manager.create_secret(Name="settings", SecretString=json.dumps({"user": "u", "port": 5432}))
    settings = Settings()
    assert (settings.user, settings.port) == ("u", 5432)


for program in (caching, powertools, pydantic):
    program()
    print(f"{program.__name__} ok")
