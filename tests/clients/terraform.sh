#!/usr/bin/env bash
# Terraform with the AWS provider against a running server, whose exported lines are in the
# environment: apply, empty second plan, change, replicate, import, destroy, in two regions at once.
source "$(dirname "$0")/terraform_common.sh"
cat >main.tf <<'TF'
variable "text" { type = string }
variable "stages" { type = list(string) }
variable "tags" { type = map(string) }
# As against AWS: credentials are validated and the account is asked for, both by STS.
variable "replicas" { type = list(string) }
provider "aws" {
  region = "us-east-1"
  endpoints {
    secretsmanager = var.endpoint
    sts            = var.endpoint
  }
}
provider "aws" {
  alias                       = "west"
  region                      = "eu-west-1"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  endpoints { secretsmanager = var.endpoint }
}
data "aws_secretsmanager_random_password" "drawn" {
  password_length     = 24
  exclude_punctuation = true
  lifecycle {
    postcondition {
      condition     = can(regex("^[A-Za-z0-9]{24}$", self.random_password))
      error_message = "a password of other characters than asked for"
    }
  }
}
resource "aws_secretsmanager_secret" "text" {
  name                    = "tf/text"
  description             = "made by terraform"
  recovery_window_in_days = 0
  tags                    = var.tags
}
resource "aws_secretsmanager_secret_version" "text" {
  secret_id     = aws_secretsmanager_secret.text.id
  secret_string = var.text
}
resource "aws_secretsmanager_secret" "binary" {
  name                    = "tf/binary"
  recovery_window_in_days = 7
}
resource "aws_secretsmanager_secret_version" "binary" {
  secret_id      = aws_secretsmanager_secret.binary.id
  secret_binary  = base64encode("some bytes")
  version_stages = var.stages
}
resource "aws_secretsmanager_secret" "west" {
  provider                = aws.west
  name                    = "tf/text"
  recovery_window_in_days = 0
}
resource "aws_secretsmanager_secret_version" "west" {
  provider      = aws.west
  secret_id     = aws_secretsmanager_secret.west.id
  secret_string = "west ${var.text}"
}
data "aws_caller_identity" "current" {}
resource "aws_secretsmanager_secret" "replicated" {
  name                    = "tf/replicated"
  description             = "shown in more regions"
  recovery_window_in_days = 0
  dynamic "replica" {
    for_each = var.replicas
    content { region = replica.value }
  }
}
resource "aws_secretsmanager_secret_version" "replicated" {
  secret_id     = aws_secretsmanager_secret.replicated.id
  secret_string = "shared ${var.text}"
}
data "aws_secretsmanager_secret_version" "replica" {
  provider   = aws.west
  secret_id  = "tf/replicated"
  depends_on = [aws_secretsmanager_secret_version.replicated]
}
data "aws_secretsmanager_secret_version" "current" {
  secret_id  = aws_secretsmanager_secret.text.id
  depends_on = [aws_secretsmanager_secret_version.text]
}
output "text_id" { value = aws_secretsmanager_secret_version.text.id }
output "binary_id" { value = aws_secretsmanager_secret_version.binary.id }
output "account" { value = data.aws_caller_identity.current.account_id }
output "west_arn" { value = aws_secretsmanager_secret.west.arn }
output "replicas" {
  value = join(",", sort([for r in aws_secretsmanager_secret.replicated.replica : "${r.region}=${r.status}"]))
}
output "replica_arn" { value = data.aws_secretsmanager_secret_version.replica.arn }
output "replica" {
  value     = data.aws_secretsmanager_secret_version.replica.secret_string
  sensitive = true
}
output "current" {
  value     = data.aws_secretsmanager_secret_version.current.secret_string
  sensitive = true
}
TF
vars '"text": "first", "stages": ["AWSCURRENT","blue"], "tags": {"env":"one","team":"a"}, "replicas": ["eu-west-1","eu-west-2"]'
tf init -input=false -no-color
apply
empty 'after apply'
[ "$(terraform output -raw current)" = first ] || fail 'the value is not the one applied'
account=$(terraform output -raw account)
case "$(terraform output -raw west_arn)" in *:eu-west-1:"$account":*) ;; *) fail 'the region of the second provider' ;; esac
[ "$(terraform output -raw replicas)" = eu-west-1=InSync,eu-west-2=InSync ] || fail 'the replicas'
[ "$(terraform output -raw replica)" = 'shared first' ] || fail 'the value of a replica'
case "$(terraform output -raw replica_arn)" in *:eu-west-1:*:tf/replicated-*) ;; *) fail 'the ARN of a replica' ;; esac

vars '"text": "second", "stages": ["AWSCURRENT","green"], "tags": {"env":"two"}, "replicas": ["eu-west-1","ap-southeast-2"]'
apply
[ "$(terraform output -raw current)" = second ] || fail 'the value is not the one changed to'
[ "$(terraform output -raw replicas)" = ap-southeast-2=InSync,eu-west-1=InSync ] || fail 'the replicas changed to'
[ "$(terraform output -raw replica)" = 'shared second' ] || fail 'the value of a replica after a change'

text_id=$(terraform output -raw text_id)
binary_id=$(terraform output -raw binary_id)
case "$text_id" in arn:*\|terraform-*) ;; *) fail "version id $text_id" ;; esac
tf state rm aws_secretsmanager_secret_version.text aws_secretsmanager_secret_version.binary
cat >import.tf <<TF
import {
  to = aws_secretsmanager_secret_version.text
  id = "$text_id"
}
import {
  to = aws_secretsmanager_secret_version.binary
  id = "$binary_id"
}
TF
apply
grep -q '2 imported, 0 added, 0 changed, 0 destroyed' log || { cat log >&2; fail 'import changes something'; }
empty 'after import'
destroy
echo "terraform $(terraform version -json | python3 -c 'import json,sys; print(json.load(sys.stdin)["terraform_version"])') with aws provider 5.100.0: apply, plan, change, replicate, import, destroy in two regions"
