#!/usr/bin/env bash
# aws_secretsmanager_secret_rotation against a running server, whose exported lines are in the
# environment: apply, empty plan, change, empty plan, destroy. ROTATION_ARN names its function.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "FAILED: $*" >&2; exit 1; }
cat >cli.tfrc <<RC
provider_installation {
  filesystem_mirror { path = "$STRONGROOM_TF_PLUGIN_DIR" }
}
disable_checkpoint = true
RC
export TF_CLI_CONFIG_FILE="$work/cli.tfrc" TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1 AWS_EC2_METADATA_DISABLED=true
unset AWS_CA_BUNDLE || true
cat >main.tf <<'TF'
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "5.100.0" }
  }
}
variable "endpoint" { type = string }
variable "function" { type = string }
variable "days" { type = number }
provider "aws" {
  region                      = "us-east-1"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  endpoints { secretsmanager = var.endpoint }
}
resource "aws_secretsmanager_secret" "days" {
  name                    = "tf/days"
  recovery_window_in_days = 0
}
resource "aws_secretsmanager_secret_version" "days" {
  secret_id     = aws_secretsmanager_secret.days.id
  secret_string = "first"
  lifecycle { ignore_changes = all }
}
resource "aws_secretsmanager_secret_rotation" "days" {
  secret_id           = aws_secretsmanager_secret_version.days.secret_id
  rotation_lambda_arn = var.function
  rotation_rules { automatically_after_days = var.days }
}
resource "aws_secretsmanager_secret" "cron" {
  name                    = "tf/cron"
  recovery_window_in_days = 0
}
resource "aws_secretsmanager_secret_version" "cron" {
  secret_id     = aws_secretsmanager_secret.cron.id
  secret_string = "first"
  lifecycle { ignore_changes = all }
}
resource "aws_secretsmanager_secret_rotation" "cron" {
  secret_id           = aws_secretsmanager_secret_version.cron.secret_id
  rotation_lambda_arn = var.function
  rotate_immediately  = false
  rotation_rules {
    duration            = "3h"
    schedule_expression = "cron(0 16 1,15 * ? *)"
  }
}
TF
vars() {
  cat >terraform.tfvars.json <<JSON
{"endpoint": "$AWS_ENDPOINT_URL_SECRETS_MANAGER", "function": "$ROTATION_ARN", "days": $1}
JSON
}
tf() { terraform "$@" >log 2>&1 || { cat log >&2; fail "terraform $*"; }; }
# Exit code 2 of a detailed plan says that there is something to do.
empty() {
  code=0
  terraform plan -input=false -no-color -detailed-exitcode >log 2>&1 || code=$?
  [ $code = 0 ] || { cat log >&2; fail "$1: the plan is not empty"; }
}
vars 30
tf init -input=false -no-color
tf apply -input=false -no-color -auto-approve
sleep 1 # The rotation that the apply began goes on in the background.
empty 'after apply'
vars 7
tf apply -input=false -no-color -auto-approve
sleep 1
empty 'after the change'
tf destroy -input=false -no-color -auto-approve
echo "terraform with aws provider 5.100.0: rotation applied, changed, destroyed"
