#!/usr/bin/env bash
# The AWS CLI against a running server, whose exported lines are in the environment.
# DEVIATES=moto leaves out what moto is known to do differently.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export AWS_PAGER='' AWS_CONFIG_FILE="$work/none" AWS_SHARED_CREDENTIALS_FILE="$work/none" AWS_EC2_METADATA_DISABLED=true
sm() { aws secretsmanager "$@"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
same() { [ "$1" = "$2" ] || fail "$3: expected <$1>, got <$2>"; }
# Runs a call that must be refused with the named exception, and with its text where one is given.
refused() {
  local code=$1 text=$2; shift 2
  if sm "$@" >out 2>err; then fail "accepted: $*"; fi
  grep -q "($code)" err || fail "$*: expected $code, got $(cat err)"
  [ -z "$text" ] || [ "${DEVIATES-}" = moto ] || grep -qF -- "$text" err || fail "$*: expected $text, got $(cat err)"
}
id=MyTestDatabaseSecret
sm create-secret --name $id --description 'made by the test' >created
arn=$(python3 -c 'import json; print(json.load(open("created"))["ARN"])')
[[ $arn =~ ^arn:aws:secretsmanager:${AWS_REGION}:[0-9]{12}:secret:${id}-[A-Za-z0-9]{6}$ ]] || fail "ARN $arn"

# The example of the AWS CLI's page on put-secret-value, as printed there.
cat >mycreds.json <<'JSON'
{
  "username": "saanvi",
  "password": "EXAMPLE-PASSWORD"
}
JSON
aws secretsmanager put-secret-value --secret-id MyTestDatabaseSecret \
  --secret-string file://mycreds.json >put
python3 - "$arn" <<'PY'
import json, re, sys
put = json.load(open("put"))
assert put["ARN"] == sys.argv[1], put
assert put["Name"] == "MyTestDatabaseSecret", put
assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", put["VersionId"]), put
assert put["VersionStages"] == ["AWSCURRENT"], put
PY
sm get-secret-value --secret-id $id >back
python3 -c 'import json; assert json.load(open("back"))["SecretString"] == open("mycreds.json").read()' || fail 'the value came back changed'
if [ "${DEVIATES-}" != moto ]; then
  sm get-secret-value --secret-id $id --query CreatedDate --output text | grep -q '\.' || fail 'a date without a fraction'
fi

# Binary, from a file with every byte.
python3 -c 'open("all.bin","wb").write(bytes(range(256)))'
sm put-secret-value --secret-id $id --secret-binary fileb://all.bin >/dev/null
sm get-secret-value --secret-id $id --query SecretBinary --output text | base64 -d | cmp - all.bin

# Labels.
sm put-secret-value --secret-id $id --secret-string pending --version-stages AWSPENDING blue >put
v3=$(python3 -c 'import json; p=json.load(open("put")); assert sorted(p["VersionStages"])==["AWSPENDING","blue"], p; print(p["VersionId"])')
same pending "$(sm get-secret-value --secret-id $id --version-stage blue --query SecretString --output text)" 'by stage'
same pending "$(sm get-secret-value --secret-id $id --version-id "$v3" --query SecretString --output text)" 'by version'
v2=$(sm get-secret-value --secret-id $id --query VersionId --output text)
sm update-secret-version-stage --secret-id $id --version-stage AWSCURRENT --remove-from-version-id "$v2" --move-to-version-id "$v3" >/dev/null
same pending "$(sm get-secret-value --secret-id $id --query SecretString --output text)" 'promoted'
same "$v2" "$(sm get-secret-value --secret-id $id --version-stage AWSPREVIOUS --query VersionId --output text)" 'AWSPREVIOUS'
refused InvalidParameterException "The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version $v3, so you must explicitly reference that version in RemoveFromVersionId." \
  update-secret-version-stage --secret-id $id --version-stage AWSCURRENT --move-to-version-id "$v2"

# Tokens: a replay with the same value does nothing, with another it is refused.
token=EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE
sm put-secret-value --secret-id $id --secret-string once --client-request-token $token >first
sm put-secret-value --secret-id $id --secret-string once --client-request-token $token >again
cmp first again || fail 'a replay answers something else'
same $token "$(sm get-secret-value --secret-id $id --query VersionId --output text)" 'the token is the version id'
refused ResourceExistsException "You can't use ClientRequestToken $token because that value is already in use for a version of secret $arn." \
  put-secret-value --secret-id $id --secret-string twice --client-request-token $token

# Input from JSON, full and partial ARN.
cat >input.json <<JSON
{"SecretId": "$id", "SecretString": "from json \u00e9 \ud83d\udd11", "VersionStages": ["AWSCURRENT", "json"]}
JSON
sm put-secret-value --cli-input-json file://input.json >/dev/null
same 'from json é 🔑' "$(sm get-secret-value --secret-id "$arn" --query SecretString --output text)" 'full ARN'
same 'from json é 🔑' "$(sm get-secret-value --secret-id "${arn%-*}" --query SecretString --output text)" 'partial ARN'
sm put-secret-value --secret-id "$arn" --secret-string by-arn >/dev/null
if [ "${DEVIATES-}" != moto ]; then
  sm put-secret-value --secret-id "${arn%-*}" --secret-string by-partial-arn >/dev/null
  refused ResourceNotFoundException "Secrets Manager can't find the specified secret." get-secret-value --secret-id "$id-${arn##*-}"
fi

# The other calls.
sm describe-secret --secret-id $id --query Name --output text | grep -qx $id
sm list-secrets --query 'SecretList[].Name' --output text | grep -qw $id
sm list-secret-version-ids --secret-id $id --include-deprecated --query 'length(Versions)' --output text | grep -qE '^[5-9]$'
sm tag-resource --secret-id $id --tags Key=env,Value=test Key=team,Value=a
sm untag-resource --secret-id $id --tag-keys team
same env "$(sm describe-secret --secret-id $id --query 'Tags[].Key' --output text)" tags
sm update-secret --secret-id $id --description changed --secret-string updated >/dev/null
same changed "$(sm describe-secret --secret-id $id --query Description --output text)" description
same updated "$(sm get-secret-value --secret-id $id --query SecretString --output text)" 'updated value'
sm get-resource-policy --secret-id $id --query Name --output text | grep -qx $id
policy='{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:TagResource", "Resource": "*"}}'
sm validate-resource-policy --resource-policy "$policy" --query PolicyValidationPassed --output text | grep -qx True
sm put-resource-policy --secret-id $id --resource-policy "$policy" --block-public-policy >/dev/null
shown='{
  "Version" : "2012-10-17",
  "Statement" : {
    "Effect" : "Deny",
    "Principal" : "*",
    "Action" : "secretsmanager:TagResource",
    "Resource" : "*"
  }
}'
[ "${DEVIATES-}" != moto ] || shown=$policy
same "$shown" "$(sm get-resource-policy --secret-id $id --query ResourcePolicy --output text)" 'resource policy'
if sm tag-resource --secret-id $id --tags Key=no,Value=x 2>denied; then fail 'a denied call succeeded'; fi
grep -q 'AccessDeniedException.*with an explicit deny in a resource-based policy' denied || fail "denied: $(cat denied)"
sm delete-resource-policy --secret-id $id >/dev/null
refused MalformedPolicyDocumentException "This resource policy contains a syntax error." put-resource-policy --secret-id $id --resource-policy '{}'
refused ResourceNotFoundException "Secrets Manager can't find the specified secret." get-secret-value --secret-id nobody
sm delete-secret --secret-id $id --recovery-window-in-days 7 >/dev/null
refused InvalidRequestException "You can't perform this operation on the secret because it was marked for deletion." get-secret-value --secret-id $id
sm restore-secret --secret-id $id >/dev/null
same updated "$(sm get-secret-value --secret-id $id --query SecretString --output text)" restored
sm delete-secret --secret-id $id --force-delete-without-recovery >/dev/null
refused ResourceNotFoundException "Secrets Manager can't find the specified secret." describe-secret --secret-id $id
sm create-secret --name $id --secret-string new >recreated
[ "$(python3 -c 'import json; print(json.load(open("recreated"))["ARN"])')" != "$arn" ] || fail 'a re-created secret has the old ARN'
sm delete-secret --secret-id $id --force-delete-without-recovery >/dev/null
# Passwords.
[ "$(sm get-random-password --query RandomPassword --output text | tr -d '\n' | wc -c)" = 32 ] || fail 'a password of 32 characters'
sm get-random-password --password-length 20 --exclude-punctuation --exclude-characters abc0 --require-each-included-type --query RandomPassword --output text |
  grep -qE '^[A-Zd-z1-9]{20}$' || fail 'a password of the characters asked for'
refused InvalidParameterException 'Password length is too short based on the required types.' get-random-password --password-length 3
if [ "${DEVIATES-}" != moto ]; then
  refused InvalidParameterException 'All characters have been excluded from selection.' get-random-password \
    --exclude-lowercase --exclude-uppercase --exclude-numbers --exclude-punctuation
  refused ValidationException "Value '4097' at 'passwordLength' failed to satisfy constraint: Member must have value less than or equal to 4096" \
    get-random-password --password-length 4097
fi

# Batches: the example of the AWS CLI's page on batch-get-secret-value, by ids and by filters.
for n in 1 2 3; do sm create-secret --name "MySecret$n" --secret-string "value $n" >/dev/null; done
same $'value 3\tvalue 1' "$(sm batch-get-secret-value --secret-id-list MySecret3 MySecret1 --query 'SecretValues[].SecretString' --output text)" 'a batch by ids'
same $'MySecret1\tMySecret2\tMySecret3' "$(sm batch-get-secret-value --filters Key=name,Values=MySecret --query 'SecretValues[].Name' --output text)" 'a batch by filters'
sm batch-get-secret-value --secret-id-list MySecret1 nobody >batch
python3 - <<'PY'
import json
batch = json.load(open("batch"))
assert [entry["Name"] for entry in batch["SecretValues"]] == ["MySecret1"], batch
assert batch["Errors"] == [{
    "SecretId": "nobody", "ErrorCode": "ResourceNotFoundException",
    "Message": "Secrets Manager can't find the specified secret.",
}], batch
PY
refused InvalidParameterException "Either 'SecretIdList' or 'Filters' must be provided, but not both." \
  batch-get-secret-value --secret-id-list MySecret1 --filters Key=name,Values=MySecret
for n in 1 2 3; do sm delete-secret --secret-id "MySecret$n" --force-delete-without-recovery >/dev/null; done
if [ "${DEVIATES-}" != moto ]; then
  refused ResourceNotFoundException "Secrets Manager can't find the specified secret." \
    stop-replication-to-replica --secret-id $id
fi

# Who am I; and one endpoint for all services, set by mistake.
account=$(aws sts get-caller-identity --endpoint-url "$AWS_ENDPOINT_URL_SECRETS_MANAGER" --query Account --output text)
same "arn:aws:iam::$account:root" "$(AWS_ENDPOINT_URL=$AWS_ENDPOINT_URL_SECRETS_MANAGER aws sts get-caller-identity --query Arn --output text)" 'caller identity'
if [ "${DEVIATES-}" != moto ]; then
  case "$arn" in *":$account:"*) ;; *) fail "account $account of $arn" ;; esac
  for call in 's3 ls' 'dynamodb list-tables' 'iam list-users' 'ssm describe-parameters'; do
    # shellcheck disable=SC2086
    if AWS_ENDPOINT_URL=$AWS_ENDPOINT_URL_SECRETS_MANAGER aws $call >out 2>err; then fail "accepted: $call"; fi
    grep -q AWS_ENDPOINT_URL_SECRETS_MANAGER err || fail "$call: $(cat err)"
  done
fi
echo 'aws cli: all calls answered as AWS does'
