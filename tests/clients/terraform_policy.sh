#!/usr/bin/env bash
# Terraform's resource policies against a running server, whose exported lines are in the environment:
# a policy of its own resource and one inside a secret; apply, empty plan, change, import, destroy.
source "$(dirname "$0")/terraform_common.sh"
plain_provider
cat >main.tf <<'TF'
variable "action" { type = string }
variable "inner" { type = bool }
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
has() { case "$(terraform output -raw policy)" in *"$1"*) ;; *) fail "no $1 in the policy" ;; esac; }
vars '"action": "secretsmanager:GetSecretValue", "inner": true'
tf init -input=false -no-color
apply
empty 'after apply'
has secretsmanager:GetSecretValue

vars '"action": "secretsmanager:DescribeSecret", "inner": false'
apply
empty 'after a change'
has secretsmanager:DescribeSecret

arn=$(terraform output -raw arn)
tf state rm aws_secretsmanager_secret_policy.outer
tf import -input=false -no-color aws_secretsmanager_secret_policy.outer "$arn"
# What a server does not tell is all that an import may leave to do.
apply
empty 'after import'

# The policy goes first, and Terraform asks until it is gone.
destroy
grep -q 'aws_secretsmanager_secret_policy.outer: Destruction complete' log || { cat log >&2; fail 'destroy'; }
echo "terraform with aws provider 5.100.0: secret policies applied, planned, changed, imported, destroyed"
