//! ARNs of roles.

use crate::semantics::fault::Fault;
use crate::semantics::messages;

/// What can be no role: an ARN of IAM in visible ASCII is all that is asked for, since nobody
/// assumes it.
pub(crate) fn role(arn: Option<&str>, member: &str) -> Result<(), Fault> {
    let is_role = |arn: &str| {
        let mut parts = arn.splitn(6, ':');
        let head = [parts.next(), parts.next(), parts.next()];
        matches!(head, [Some("arn"), Some(partition), Some("iam")] if partition.starts_with("aws"))
            && parts
                .nth(2)
                .is_some_and(|resource| resource.len() > 5 && resource.starts_with("role/"))
            && arn.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match arn {
        Some(arn) if !is_role(arn) => Err(messages::bad_role_arn(member)),
        _ => Ok(()),
    }
}
