#!/usr/bin/env bash
# Terraform's resource policies against a running server, whose exported lines are in the environment:
# a policy of its own resource and one inside a secret; apply, empty plan, change, import, destroy.
# STRONGROOM_TF_PLUGIN_DIR is a file system mirror (HOST/NAMESPACE/NAME/VERSION/OS_ARCH/...).
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
variable "action" { type = string }
variable "inner" { type = bool }
provider "aws" {
  region                      = "us-east-1"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  endpoints { secretsmanager = var.endpoint }
}
locals {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Other account"
      Effect    = "Allow"
      Principal = { AWS = ["arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:role/reader"] }
      Action    = [var.action]
      Resource  = "*"
      Condition = { StringEquals = { "aws:PrincipalAccount" = "111122223333" } }
    }]
  })
}
resource "aws_secretsmanager_secret" "outer" {
  name                    = "tf/policy/outer"
  recovery_window_in_days = 0
}
resource "aws_secretsmanager_secret_policy" "outer" {
  secret_arn          = aws_secretsmanager_secret.outer.arn
  policy              = local.policy
  block_public_policy = true
}
resource "aws_secretsmanager_secret" "inner" {
  name                    = "tf/policy/inner"
  recovery_window_in_days = 0
  policy                  = var.inner ? local.policy : "{}"
}
data "aws_secretsmanager_secret" "outer" {
  name       = aws_secretsmanager_secret.outer.name
  depends_on = [aws_secretsmanager_secret_policy.outer]
}
output "arn" { value = aws_secretsmanager_secret.outer.arn }
output "policy" { value = data.aws_secretsmanager_secret.outer.policy }
TF
vars() {
  cat >terraform.tfvars.json <<JSON
{"endpoint": "$AWS_ENDPOINT_URL_SECRETS_MANAGER", "action": "$1", "inner": $2}
JSON
}
tf() { terraform "$@" >log 2>&1 || { cat log >&2; fail "terraform $*"; }; }
# Exit code 2 of a detailed plan says that there is something to do.
empty() {
  code=0
  terraform plan -input=false -no-color -detailed-exitcode >log 2>&1 || code=$?
  [ $code = 0 ] || { cat log >&2; fail "$1: the plan is not empty"; }
}
has() { case "$(terraform output -raw policy)" in *"$1"*) ;; *) fail "no $1 in the policy" ;; esac; }
vars secretsmanager:GetSecretValue true
tf init -input=false -no-color
tf apply -input=false -no-color -auto-approve
empty 'after apply'
has secretsmanager:GetSecretValue

vars secretsmanager:DescribeSecret false
tf apply -input=false -no-color -auto-approve
empty 'after a change'
has secretsmanager:DescribeSecret

arn=$(terraform output -raw arn)
tf state rm aws_secretsmanager_secret_policy.outer
tf import -input=false -no-color aws_secretsmanager_secret_policy.outer "$arn"
# What a server does not tell is all that an import may leave to do.
tf apply -input=false -no-color -auto-approve
empty 'after import'

# The policy goes first, and Terraform asks until it is gone.
tf destroy -input=false -no-color -auto-approve
grep -q 'aws_secretsmanager_secret_policy.outer: Destruction complete' log || { cat log >&2; fail 'destroy'; }
echo "terraform with aws provider 5.100.0: secret policies applied, planned, changed, imported, destroyed"
