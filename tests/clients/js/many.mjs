// What a service does when it starts: 300 gets at once over the 50 sockets of the SDK, twice, with a pause in
// which the sockets are idle. No call is tried again, so that a lost one shows.

import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

const client = new SecretsManagerClient({ maxAttempts: 1 });
for (let round = 0; round < 2; round++) {
  const calls = Array.from({ length: 300 }, () =>
    client.send(new GetSecretValueCommand({ SecretId: "js/many" })),
  );
  const settled = await Promise.allSettled(calls);
  const lost = settled.filter((call) => call.value?.SecretString !== "v");
  if (lost.length > 0) {
    console.error(`${lost.length} of ${calls.length} calls were lost: ${lost[0].reason}`);
    process.exit(1);
  }
  await new Promise((resolve) => setTimeout(resolve, 1500));
}
console.log("the AWS SDK for JavaScript: 600 gets, none lost");
