// The AWS SDK for JavaScript against a running server, whose exported lines are in the environment.

import assert from "node:assert/strict";
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  RestoreSecretCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
  paginateListSecrets,
} from "@aws-sdk/client-secrets-manager";

const client = new SecretsManagerClient({ maxAttempts: 1 });
const send = (Command, input) => client.send(new Command(input));

async function refused(exception, promise, text) {
  const error = await promise.then(() => assert.fail("accepted"), (error) => error);
  assert.ok(error instanceof exception, String(error));
  if (text !== undefined) assert.equal(error.message, text);
  assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/);
}

const Name = "js/app";
const created = await send(CreateSecretCommand, { Name, SecretString: "one", Tags: [{ Key: "k", Value: "v" }] });
assert.match(created.ARN, /:secret:js\/app-[A-Za-z0-9]{6}$/);
await refused(
  ResourceExistsException,
  send(CreateSecretCommand, { Name, SecretString: "two" }),
  "The operation failed because the secret js/app already exists.",
);

const put = await send(PutSecretValueCommand, { SecretId: Name, SecretString: "\0 é \u{1f511}" });
assert.deepEqual(put.VersionStages, ["AWSCURRENT"]);
const got = await send(GetSecretValueCommand, { SecretId: created.ARN });
assert.equal(got.SecretString, "\0 é \u{1f511}");
assert.ok(got.CreatedDate instanceof Date);

const bytes = Uint8Array.from({ length: 65536 }, (_, index) => index % 256);
await send(UpdateSecretCommand, { SecretId: Name, SecretBinary: bytes, Description: "about" });
assert.deepEqual((await send(GetSecretValueCommand, { SecretId: Name })).SecretBinary, bytes);
const previous = await send(GetSecretValueCommand, { SecretId: Name, VersionStage: "AWSPREVIOUS" });
assert.equal(previous.VersionId, put.VersionId);

const versions = await send(ListSecretVersionIdsCommand, { SecretId: Name, IncludeDeprecated: true });
assert.equal(versions.Versions.length, 3);
const current = versions.Versions.find((version) => version.VersionStages?.includes("AWSCURRENT"));
await send(UpdateSecretVersionStageCommand, {
  SecretId: Name,
  VersionStage: "AWSCURRENT",
  RemoveFromVersionId: current.VersionId,
  MoveToVersionId: created.VersionId,
});
assert.equal((await send(GetSecretValueCommand, { SecretId: Name })).SecretString, "one");

await send(TagResourceCommand, { SecretId: Name, Tags: [{ Key: "x", Value: "y" }] });
await send(UntagResourceCommand, { SecretId: Name, TagKeys: ["k"] });
const described = await send(DescribeSecretCommand, { SecretId: Name });
assert.deepEqual(described.Tags, [{ Key: "x", Value: "y" }]);
assert.equal(described.Description, "about");
assert.equal(described.DeletedDate, undefined);

for (const number of [1, 2, 3]) await send(CreateSecretCommand, { Name: `js/many/${number}`, SecretString: "v" });
const names = [];
const filters = { Filters: [{ Key: "name", Values: ["js/many/"] }] };
for await (const page of paginateListSecrets({ client, pageSize: 1 }, filters)) {
  names.push(...page.SecretList.map((secret) => secret.Name));
}
assert.deepEqual(names, ["js/many/1", "js/many/2", "js/many/3"]);

await send(DeleteSecretCommand, { SecretId: Name, RecoveryWindowInDays: 7 });
assert.equal((await send(ListSecretsCommand, { Filters: [{ Key: "name", Values: [Name] }] })).SecretList.length, 0);
await send(RestoreSecretCommand, { SecretId: Name });
await send(DeleteSecretCommand, { SecretId: Name, ForceDeleteWithoutRecovery: true });
await refused(
  ResourceNotFoundException,
  send(GetSecretValueCommand, { SecretId: Name }),
  "Secrets Manager can't find the specified secret.",
);
console.log("the AWS SDK for JavaScript: all as expected");
