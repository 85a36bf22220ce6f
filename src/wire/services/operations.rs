//! Operations of Secrets Manager without HTTP: from a request body to the vault, from its answer to JSON.

use crate::error::Result as VaultResult;
use crate::model::Scope;
use crate::vault::Vault;
use crate::wire::json;
use crate::wire::reply::Failure;
use crate::wire::request::{self, Call, Operation, Read};
use crate::wire::response;
use crate::wire::schema::Fields;
use zeroize::Zeroizing;

/// The vault's answer is of another operation.
pub(crate) const MISFIT: Failure = Failure::Internal("the answer does not fit the operation");
/// The vault dropped a write's callback.
pub(crate) const BROKEN_OFF: Failure =
    Failure::Internal("the operation was broken off; its outcome is unknown");

/// Parses a body; it is wiped before the operation starts.
pub(crate) fn read(operation: Operation, body: Zeroizing<Vec<u8>>) -> Result<Call, Failure> {
    let node = json::parse(&body).map_err(|_| Failure::NotJson)?;
    drop(body);
    request::read(operation, Fields::check(node, operation.members())?)
}

pub(crate) fn perform_read(
    vault: &Vault,
    scope: &Scope,
    read: &Read,
) -> VaultResult<Zeroizing<Vec<u8>>> {
    Ok(match read {
        Read::BatchGetSecretValue(request) => {
            response::secret_value_batch(&vault.batch_get_secret_value(scope, request)?)?
        }
        Read::DescribeSecret(request) => {
            response::description(&vault.describe_secret(scope, request)?)
        }
        Read::GetRandomPassword(request) => {
            response::random_password(&vault.get_random_password(request)?)?
        }
        Read::GetResourcePolicy(request) => {
            response::resource_policy(&vault.get_resource_policy(scope, request)?)
        }
        Read::GetSecretValue(request) => {
            response::secret_value(&vault.get_secret_value(scope, request)?)?
        }
        Read::ListResourcePolicies(request) => {
            response::policy_page(&vault.list_resource_policies(scope, request)?)
        }
        Read::ListSecretVersionIds(request) => {
            response::version_page(&vault.list_secret_version_ids(scope, request)?)
        }
        Read::ListSecrets(request) => response::secret_page(&vault.list_secrets(scope, request)?),
        Read::ValidateResourcePolicy(request) => {
            response::policy_validation(&vault.validate_resource_policy(scope, request)?)
        }
    })
}
