#!/usr/bin/env bash
# aws_secretsmanager_secret_rotation against a running server, whose exported lines are in the
# environment: apply, empty plan, change, empty plan, destroy. ROTATION_ARN names its function.
source "$(dirname "$0")/terraform_common.sh"
plain_provider
cat >main.tf <<'TF'
variable "function" { type = string }
variable "days" { type = number }
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
vars "\"function\": \"$ROTATION_ARN\", \"days\": 30"
tf init -input=false -no-color
apply
sleep 1 # The rotation that the apply began goes on in the background.
empty 'after apply'
vars "\"function\": \"$ROTATION_ARN\", \"days\": 7"
apply
sleep 1
empty 'after the change'
destroy
echo "terraform with aws provider 5.100.0: rotation applied, changed, destroyed"
