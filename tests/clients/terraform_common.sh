# shellcheck shell=bash
# What the Terraform scripts share; sourced by each, in a folder of its own.
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
# A third of their time goes to collecting garbage of the schema of 1,500 resources.
export GOGC="${GOGC:-800}"
cat >versions.tf <<'TF'
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "5.100.0" }
  }
}
variable "endpoint" { type = string }
TF
# A provider that asks for nothing but secrets, for scripts without one of their own.
plain_provider() {
  cat >provider.tf <<'TF'
provider "aws" {
  region                      = "us-east-1"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  endpoints { secretsmanager = var.endpoint }
}
TF
}
# The variables, besides the endpoint, as members of a JSON object.
vars() {
  printf '{"endpoint": "%s", %s}\n' "$AWS_ENDPOINT_URL_SECRETS_MANAGER" "$1" >terraform.tfvars.json
}
tf() { terraform "$@" >log 2>&1 || { cat log >&2; fail "terraform $*"; }; }
apply() { tf apply -input=false -no-color -auto-approve; }
destroy() { tf destroy -input=false -no-color -auto-approve; }
# Exit code 2 of a detailed plan says that there is something to do.
empty() {
  code=0
  terraform plan -input=false -no-color -detailed-exitcode >log 2>&1 || code=$?
  [ $code = 0 ] || { cat log >&2; fail "$1: the plan is not empty"; }
}
