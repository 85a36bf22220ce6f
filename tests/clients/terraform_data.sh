#!/usr/bin/env bash
# Terraform's data sources of secrets, and a secret made again while its deletion is scheduled, against a
# running server, whose exported lines are in the environment.
source "$(dirname "$0")/terraform_common.sh"
plain_provider
cat >main.tf <<'TF'
variable "text" { type = string }
resource "aws_secretsmanager_secret" "one" {
  name                    = "tf/data/one"
  description             = "found by words"
  recovery_window_in_days = 7
  tags                    = { team = "blue" }
}
resource "aws_secretsmanager_secret_version" "one" {
  secret_id     = aws_secretsmanager_secret.one.id
  secret_string = var.text
}
data "aws_secretsmanager_secret" "by_name" {
  name       = aws_secretsmanager_secret.one.name
  depends_on = [aws_secretsmanager_secret_version.one]
}
data "aws_secretsmanager_secret" "by_arn" {
  arn = aws_secretsmanager_secret_version.one.arn
}
data "aws_secretsmanager_secret_version" "current" {
  secret_id = aws_secretsmanager_secret_version.one.secret_id
}
data "aws_secretsmanager_secret_version" "by_id" {
  secret_id  = aws_secretsmanager_secret_version.one.secret_id
  version_id = aws_secretsmanager_secret_version.one.version_id
}
data "aws_secretsmanager_secret_versions" "all" {
  secret_id          = aws_secretsmanager_secret_version.one.secret_id
  include_deprecated = true
}
data "aws_secretsmanager_secrets" "found" {
  filter {
    name   = "description"
    values = ["word"]
  }
  filter {
    name   = "tag-value"
    values = ["blue"]
  }
  depends_on = [aws_secretsmanager_secret_version.one]
}
data "aws_secretsmanager_random_password" "drawn" {
  password_length     = 40
  exclude_punctuation = true
}
output "facts" {
  sensitive = true
  value = join(" ", [
    data.aws_secretsmanager_secret.by_name.arn == data.aws_secretsmanager_secret.by_arn.arn,
    data.aws_secretsmanager_secret.by_name.description,
    data.aws_secretsmanager_secret.by_name.tags.team,
    data.aws_secretsmanager_secret_version.current.secret_string,
    data.aws_secretsmanager_secret_version.by_id.secret_string,
    length(data.aws_secretsmanager_secret_versions.all.versions),
    join(",", data.aws_secretsmanager_secrets.found.names),
    length(data.aws_secretsmanager_random_password.drawn.random_password),
  ])
}
TF
vars '"text": "first"'
tf init -input=false -no-color
apply
facts=$(terraform output -raw facts)
[ "$facts" = 'true found by words blue first first 1 tf/data/one 40' ] || fail "the data sources say: $facts"

# The window keeps the name, so the next create is refused, and Terraform tries again until it is free.
destroy
vars '"text": "second"'
if command -v aws >/dev/null; then
  terraform apply -input=false -no-color -auto-approve >again 2>&1 &
  again=$!
  sleep 8
  kill -0 $again 2>/dev/null || { cat again >&2; fail 'the create was not tried again'; }
  aws secretsmanager delete-secret --secret-id tf/data/one --force-delete-without-recovery >/dev/null
  wait $again || { cat again >&2; fail 'the create after the deletion'; }
  terraform output -raw facts | grep -q ' second ' || fail 'the value of the new secret'
  destroy
else
  echo "SKIP a secret made again while scheduled: there is no AWS CLI here"
fi
echo "terraform with aws provider 5.100.0: data sources read, a scheduled name waited for"
