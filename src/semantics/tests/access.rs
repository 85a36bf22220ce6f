//! Who may do what: other accounts, and Denies against the own one (SEM-ACCESS).

use super::{S, created, refused};
use crate::model::api::{
    CancelRotateSecret, DeleteResourcePolicy, DeleteSecret, DescribeSecret, GetResourcePolicy,
    GetSecretValue, ListResourcePolicies, ListSecretVersionIds, ListSecrets, PutResourcePolicy,
    PutSecretValue, RemoveRegionsFromReplication, ReplicaRegion, ReplicateSecretToRegions,
    RestoreSecret, RotateSecret, TagResource, UntagResource, UpdateSecret,
    UpdateSecretVersionStage, ValidateResourcePolicy,
};
use crate::model::{Scope, Seq, Tag};
use crate::secret::PayloadKind;
use crate::semantics::Fault;
use crate::semantics::FaultKind::{AccessDenied, InvalidRequest, ResourceNotFound};
use crate::semantics::memory::{Mutation, World, token};

const OTHER: &str = "111122223333";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:111122223333:function:f";
const KEY: &str = "This is no key of the account.";

/// Any request about one secret.
enum Call {
    Write(Mutation),
    Read(&'static str, fn(&World, &str) -> Result<(), Fault>),
}

impl Call {
    fn run(self, world: &mut World, id: &str) -> Result<(), Fault> {
        match self {
            Self::Write(mutation) => world.run(&mutation, Some(World::text("two"))).map(drop),
            Self::Read(_, read) => read(world, id),
        }
    }

    /// The action that policies know it by; `None`: not about one secret that the caller names. A
    /// new operation does not compile until it is here, and must be in [`calls`].
    fn action(&self) -> Option<&'static str> {
        Some(match self {
            Self::Read(action, _) => action,
            Self::Write(mutation) => match mutation {
                Mutation::PutSecretValue(_) => "PutSecretValue",
                Mutation::UpdateSecret(_) => "UpdateSecret",
                Mutation::UpdateSecretVersionStage(_) => "UpdateSecretVersionStage",
                Mutation::DeleteSecret(_) => "DeleteSecret",
                Mutation::RestoreSecret(_) => "RestoreSecret",
                Mutation::TagResource(_) => "TagResource",
                Mutation::UntagResource(_) => "UntagResource",
                Mutation::PutResourcePolicy(_) => "PutResourcePolicy",
                Mutation::DeleteResourcePolicy(_) => "DeleteResourcePolicy",
                Mutation::RotateSecret(_) => "RotateSecret",
                Mutation::CancelRotateSecret(_) => "CancelRotateSecret",
                Mutation::ReplicateSecretToRegions(_) => "ReplicateSecretToRegions",
                Mutation::RemoveRegionsFromReplication(_) => "RemoveRegionsFromReplication",
                // Of a replica: see `tests::replica`.
                Mutation::StopReplicationToReplica(_) => "StopReplicationToReplica",
                // Of the primary's own account: see `tests::cross_account`.
                Mutation::AssociateCrossAccountReplica(_) => "AssociateCrossAccountReplica",
                Mutation::DisassociateCrossAccountReplica(_) => "DisassociateCrossAccountReplica",
                Mutation::CreateSecret(_) => return None,
            },
        })
    }
}

/// Every operation on one secret, the destructive ones last.
fn calls(id: &str) -> Vec<Call> {
    let secret_id = id.to_owned();
    vec![
        Call::Read("GetSecretValue", |world, id| {
            let request = GetSecretValue::new(id);
            world.read(&request).map(drop)
        }),
        Call::Read("DescribeSecret", |world, id| world.read(&DescribeSecret::new(id)).map(drop)),
        Call::Read("ListSecretVersionIds", |world, id| {
            let request = ListSecretVersionIds { secret_id: id.into(), ..Default::default() };
            world.read(&request).map(drop)
        }),
        Call::Read("GetResourcePolicy", |world, id| {
            let request = GetResourcePolicy::new(id);
            world.read(&request).map(drop)
        }),
        Call::Read("ListResourcePolicies", |world, id| {
            let request = ListResourcePolicies { secret_id: id.into(), ..Default::default() };
            world.read(&request).map(drop)
        }),
        Call::Read("ValidateResourcePolicy", |world, id| {
            let resource_policy = allow(OTHER, "*");
            let request = ValidateResourcePolicy { secret_id: Some(id.into()), resource_policy };
            world.read(&request).map(drop)
        }),
        Call::Write(Mutation::PutSecretValue(PutSecretValue {
            client_request_token: Some(token("v2")),
            ..PutSecretValue::new(id, PayloadKind::String)
        })),
        Call::Write(Mutation::UpdateSecret(UpdateSecret {
            client_request_token: Some(token("v3")),
            description: Some("other".into()),
            ..UpdateSecret::new(id)
        })),
        Call::Write(Mutation::UpdateSecret(UpdateSecret {
            client_request_token: Some(token("v4")),
            value: Some(PayloadKind::String),
            ..UpdateSecret::new(id)
        })),
        Call::Write(Mutation::UpdateSecretVersionStage(UpdateSecretVersionStage {
            secret_id: secret_id.clone(),
            version_stage: "x".into(),
            remove_from_version_id: None,
            move_to_version_id: Some(token("v1")),
        })),
        Call::Write(Mutation::TagResource(TagResource {
            secret_id: secret_id.clone(),
            tags: vec![Tag { key: "a".into(), value: "b".into() }],
        })),
        Call::Write(Mutation::UntagResource(UntagResource {
            secret_id: secret_id.clone(),
            tag_keys: vec!["a".into()],
        })),
        Call::Write(Mutation::RotateSecret(RotateSecret {
            secret_id: secret_id.clone(),
            client_request_token: Some(token("v5")),
            rotation_lambda_arn: Some(FUNCTION.into()),
            ..Default::default()
        })),
        Call::Write(Mutation::CancelRotateSecret(CancelRotateSecret::new(id))),
        Call::Write(Mutation::ReplicateSecretToRegions(ReplicateSecretToRegions {
            secret_id: secret_id.clone(),
            add_replica_regions: vec![ReplicaRegion {
                region: "eu-west-1".into(),
                kms_key_id: None,
            }],
            force_overwrite_replica_secret: None,
        })),
        Call::Write(Mutation::RemoveRegionsFromReplication(RemoveRegionsFromReplication {
            secret_id: secret_id.clone(),
            remove_replica_regions: vec!["eu-west-1".into()],
        })),
        Call::Write(Mutation::DeleteSecret(DeleteSecret {
            secret_id: secret_id.clone(),
            ..Default::default()
        })),
        Call::Write(Mutation::RestoreSecret(RestoreSecret::new(id))),
        Call::Write(Mutation::PutResourcePolicy(PutResourcePolicy {
            secret_id: secret_id.clone(),
            resource_policy: allow(OTHER, "*"),
            ..Default::default()
        })),
        Call::Write(Mutation::DeleteResourcePolicy(DeleteResourcePolicy::new(id))),
        Call::Write(Mutation::DeleteSecret(DeleteSecret {
            secret_id,
            force_delete_without_recovery: Some(true),
            ..Default::default()
        })),
    ]
}

fn statement(effect: &str, principal: &str, action: &str, more: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Principal":{principal},"Action":"secretsmanager:{action}","Resource":"*"{more}}}"#
    )
}

fn policy(statements: &[String]) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

fn allow(account: &str, action: &str) -> String {
    policy(&[statement("Allow", &format!(r#"{{"AWS":"{account}"}}"#), action, "")])
}

/// A secret with a customer's key, whose policy is this, and its ARN.
fn guarded(policy: &str) -> (World, String) {
    let mut world = created();
    let request = UpdateSecret {
        client_request_token: Some(token("key")),
        kms_key_id: Some(KEY.into()),
        ..UpdateSecret::<PayloadKind>::new(S)
    };
    world.run(&Mutation::UpdateSecret(request), None).unwrap();
    let arn = world.describe(S).unwrap().arn;
    world.functions.insert(FUNCTION.to_owned());
    world.put_policy(S, policy).unwrap();
    (world, arn)
}

fn be(world: &mut World, account: &str) {
    world.scope = Scope::new(account, "us-east-1");
}

/// The answer to a `GetSecretValue` of account `OTHER` under this policy.
fn other_gets(policy: &str) -> Result<(), Fault> {
    let (mut world, arn) = guarded(policy);
    be(&mut world, OTHER);
    world.get(&arn).map(drop)
}

/// The same for the account of the secret.
fn owner_gets(policy: &str) -> Result<(), Fault> {
    guarded(policy).0.get(S).map(drop)
}

fn unallowed(arn: &str, action: &str) -> String {
    format!(
        "User: arn:aws:iam::{OTHER}:root is not authorized to perform: secretsmanager:{action} on \
         resource: {arn} because no resource-based policy allows the secretsmanager:{action} action"
    )
}

/// SEM-ACCESS-1, SEM-ACCESS-2: every operation, of a secret that is there and of one that is not:
/// the same refusal, and nothing happens.
#[test]
fn another_account_is_refused_everything_and_learns_nothing() {
    let (mut world, arn) = guarded(&allow("999999999999", "*"));
    let absent = arn.replace("app/db", "app/no");
    let partial = &arn[..arn.len() - 7];
    let elsewhere = arn.replace("us-east-1", "eu-west-1");
    be(&mut world, OTHER);
    let before = world.view.clone();
    for id in [arn.as_str(), &absent, partial, &elsewhere] {
        for call in calls(id) {
            let action = call.action().unwrap();
            refused(call.run(&mut world, id), AccessDenied, &unallowed(id, action));
        }
    }
    world.view.request_value = None;
    assert_eq!(world.view, before);
    // Every operation with a SecretId is among them, once at least.
    let mut actions: Vec<_> = calls(&arn).iter().filter_map(Call::action).collect();
    actions.sort_unstable();
    actions.dedup();
    assert_eq!(actions.len(), 19, "{actions:?}");
}

/// SEM-ACCESS-1: a name is looked for in the caller's own account, and lists show only that.
#[test]
fn names_and_lists_stay_within_the_account() {
    let (mut world, _) = guarded(&allow(OTHER, "*"));
    be(&mut world, OTHER);
    let gone = "Secrets Manager can't find the specified secret.";
    refused(world.get(S), ResourceNotFound, gone);
    assert!(world.list(&ListSecrets::default()).unwrap().secrets.is_empty());
    world.create(S, "v1", Some("mine")).unwrap();
    assert!(world.describe(S).unwrap().arn.contains(OTHER));
}

/// SEM-ACCESS-4: one whole life of a secret, by an account that may do everything.
#[test]
fn an_allowed_account_may_do_what_the_owner_may() {
    let (mut world, arn) = guarded(&allow(OTHER, "*"));
    be(&mut world, OTHER);
    let partial = &arn[..arn.len() - 7];
    refused(world.get(partial), AccessDenied, &unallowed(partial, "GetSecretValue"));
    for call in calls(&arn) {
        let action = call.action().unwrap();
        // With its policy the secret goes out of reach.
        let is_last = action == "DeleteResourcePolicy";
        call.run(&mut world, &arn).unwrap_or_else(|fault| panic!("{action}: {fault:?}"));
        if is_last {
            break;
        }
    }
    refused(world.get(&arn), AccessDenied, &unallowed(&arn, "GetSecretValue"));
    world.scope = Scope::default();
    assert_eq!(world.labels(S), "v1{x} v2{AWSPREVIOUS} v4{AWSCURRENT} v5{AWSPENDING}");
    assert_eq!(world.describe(S).unwrap().description.as_deref(), Some("other"));
}

/// SEM-ACCESS-3: a Deny reaches the own account, but for the operations that lift it.
#[test]
fn a_deny_reaches_the_owner_but_never_locks_it_out() {
    let deny = policy(&[statement("Deny", r#""*""#, "*", "")]);
    let (mut world, arn) = guarded(&deny);
    let user = "arn:aws:iam::000000000000:root";
    for (id, call) in
        [S, &arn].into_iter().flat_map(|id| calls(id).into_iter().map(move |call| (id, call)))
    {
        let action = call.action().unwrap();
        if ["PutResourcePolicy", "GetResourcePolicy", "DeleteResourcePolicy"].contains(&action) {
            continue;
        }
        // The secret is named as the caller has named it.
        let text = format!(
            "User: {user} is not authorized to perform: secretsmanager:{action} on resource: {id} \
             with an explicit deny in a resource-based policy"
        );
        refused(call.run(&mut world, id), AccessDenied, &text);
    }
    assert!(world.policy(S).unwrap().is_some_and(|shown| shown.contains(r#""Effect" : "Deny""#)));
    world.put_policy(S, &deny.replace("Deny", "Allow")).unwrap();
    world.get(S).unwrap();
    world.put_policy(S, &deny).unwrap();
    world.delete_policy(S).unwrap();
    world.get(S).unwrap();
    // An Allow takes nothing from the owner.
    owner_gets(&allow(OTHER, "DescribeSecret")).unwrap();
}

/// SEM-ACCESS-4, SEM-ACCESS-5: who is meant.
#[test]
fn principals_are_accounts() {
    let get = |principal: &str| {
        other_gets(&policy(&[statement("Allow", principal, "GetSecretValue", "")]))
    };
    for principal in [
        r#""*""#,
        r#"{"AWS":"*"}"#,
        r#"{"AWS":"111122223333"}"#,
        r#"{"AWS":["999999999999","arn:aws:iam::111122223333:root"]}"#,
        r#"{"Service":"lambda.amazonaws.com","AWS":"111122223333"}"#,
    ] {
        get(principal).unwrap();
    }
    for principal in [
        r#"{"AWS":"999999999999"}"#,
        r#"{"AWS":"arn:aws:iam::111122223333:user/a"}"#,
        r#"{"AWS":"arn:aws:iam::111122223333:role/root"}"#,
        r#"{"AWS":"AROAEXAMPLEEXAMPLE12"}"#,
        r#"{"Service":"lambda.amazonaws.com"}"#,
        r#"{"Federated":"111122223333"}"#,
    ] {
        assert_eq!(get(principal).unwrap_err().kind, AccessDenied, "{principal}");
    }
    let all_but = |account: &str| {
        let text = statement("Allow", &format!(r#"{{"AWS":"{account}"}}"#), "*", "");
        other_gets(&policy(&[text.replace("Principal", "NotPrincipal")]))
    };
    all_but("999999999999").unwrap();
    assert_eq!(all_but(OTHER).unwrap_err().kind, AccessDenied);
}

/// SEM-ACCESS-6: what is meant.
#[test]
fn actions_are_patterns_without_case() {
    let with = |member: &str| {
        let text = allow(OTHER, "X").replace(r#""Action":"secretsmanager:X""#, member);
        other_gets(&text)
    };
    for member in [
        r#""Action":"*""#,
        r#""Action":"secretsmanager:*""#,
        r#""Action":"SecretsManager:getsecretvalue""#,
        r#""Action":["secretsmanager:PutSecretValue","secretsmanager:Get*Val?e"]"#,
        r#""NotAction":"secretsmanager:Delete*""#,
    ] {
        with(member).unwrap();
    }
    for member in [
        r#""Action":"secretsmanager:GetSecret""#,
        r#""Action":"s3:*""#,
        r#""NotAction":["secretsmanager:Get*"]"#,
    ] {
        assert_eq!(with(member).unwrap_err().kind, AccessDenied, "{member}");
    }
}

/// SEM-ACCESS-6: which secret is meant.
#[test]
fn resources_are_patterns_of_arns() {
    let with = |member: &str| {
        let (mut world, arn) = guarded(&allow(OTHER, "*"));
        let member = member.replace("ARN", &arn);
        world.put_policy(S, &allow(OTHER, "*").replace(r#""Resource":"*""#, &member)).unwrap();
        be(&mut world, OTHER);
        world.get(&arn).map(drop)
    };
    for member in [
        r#""Resource":"ARN""#,
        r#""Resource":["arn:aws:s3:::b","arn:aws:secretsmanager:*:000000000000:secret:app/d?-??????"]"#,
        r#""NotResource":"arn:aws:secretsmanager:*:*:secret:other-*""#,
    ] {
        with(member).unwrap();
    }
    for member in [
        r#""Resource":"arn:aws:secretsmanager:*:*:secret:App/db-*""#,
        r#""Resource":"arn:aws:secretsmanager:us-east-1:000000000000:secret:app/db""#,
        r#""Resource":"arn:aws:secretsmanager:*:${aws:PrincipalAccount}:secret:*""#,
        r#""NotResource":"ARN""#,
        r#""NotResource":"arn:aws:secretsmanager:*:${aws:PrincipalAccount}:secret:*""#,
    ] {
        assert_eq!(with(member).unwrap_err().kind, AccessDenied, "{member}");
    }
}

/// SEM-ACCESS-7: a Deny wins wherever it stands, in whichever policy.
#[test]
fn a_deny_wins() {
    let allow_all = statement("Allow", r#""*""#, "*", "");
    let deny = |action| statement("Deny", r#"{"AWS":"111122223333"}"#, action, "");
    for statements in [[allow_all.clone(), deny("Get*")], [deny("*"), allow_all.clone()]] {
        assert_eq!(other_gets(&policy(&statements)).unwrap_err().kind, AccessDenied);
        owner_gets(&policy(&statements)).unwrap();
    }
    other_gets(&policy(&[allow_all.clone(), deny("Put*")])).unwrap();
    let (mut world, arn) = guarded(&policy(&[allow_all]));
    let record = world.view.secrets.values_mut().next().unwrap();
    let named = &mut record.policies.as_mut().unwrap().named;
    named.insert("of-aws".into(), policy(&[deny("GetSecretValue")]));
    be(&mut world, OTHER);
    assert_eq!(world.get(&arn).unwrap_err().kind, AccessDenied);
    world.describe(&arn).unwrap();
}

/// SEM-ACCESS-8: conditions on what is known are decided.
#[test]
fn known_conditions_are_decided() {
    for (condition, holds) in [
        ("{}", true),
        (r#"{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}"#, true),
        (r#"{"StringEquals":{"AWS:principalaccount":["1","111122223333"]}}"#, true),
        (r#"{"StringEquals":{"aws:PrincipalAccount":"999999999999"}}"#, false),
        (r#"{"StringNotEquals":{"aws:PrincipalAccount":"999999999999"}}"#, true),
        (r#"{"StringNotEquals":{"aws:PrincipalAccount":["9","111122223333"]}}"#, false),
        (r#"{"StringLike":{"aws:PrincipalAccount":"1111*"}}"#, true),
        (r#"{"StringNotLike":{"aws:PrincipalAccount":"1111*"}}"#, false),
        (r#"{"StringEqualsIgnoreCase":{"aws:RequestedRegion":"US-EAST-1"}}"#, true),
        (r#"{"ArnLike":{"aws:PrincipalArn":"arn:*:iam::1111????3333:*"}}"#, true),
        (r#"{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:user/x"}}"#, false),
        (r#"{"ArnNotLike":{"aws:PrincipalArn":"arn:*"}}"#, true),
        (r#"{"Bool":{"aws:SecureTransport":"false"}}"#, true),
        (r#"{"Bool":{"aws:SecureTransport":true}}"#, false),
        (r#"{"StringEquals":{"aws:ResourceAccount":"000000000000"}}"#, true),
        (r#"{"StringEquals":{"secretsmanager:ResourceTag/team":"blue"}}"#, true),
        (r#"{"StringEquals":{"aws:ResourceTag/team":"red"}}"#, false),
        (r#"{"StringEquals":{"aws:ResourceTag/none":"red"}}"#, false),
        (r#"{"StringEqualsIfExists":{"aws:ResourceTag/none":"red"}}"#, true),
        (r#"{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}"#, true),
        (r#"{"Null":{"aws:SourceVpce":"true"}}"#, true),
        (r#"{"Null":{"aws:ResourceTag/team":"true"}}"#, false),
        (
            r#"{"StringEquals":{"aws:PrincipalAccount":"111122223333","aws:RequestedRegion":"x-1"}}"#,
            false,
        ),
    ] {
        let more = format!(r#","Condition":{condition}"#);
        let all = statement("Allow", r#""*""#, "*", "");
        let allow = policy(&[statement("Allow", r#""*""#, "*", &more)]);
        let deny = policy(&[all, statement("Deny", r#""*""#, "*", &more)]);
        for (text, allowed) in [(allow, holds), (deny, !holds)] {
            let (mut world, arn) = guarded(&policy(&[statement("Allow", r#""*""#, "*", "")]));
            world.tag(S, &[("team", "blue")]).unwrap();
            world.put_policy(S, &text).unwrap();
            be(&mut world, OTHER);
            assert_eq!(world.get(&arn).is_ok(), allowed, "{text}");
        }
    }
}

/// SEM-ACCESS-9: what is not known counts against the caller, in an Allow and in a Deny.
#[test]
fn unknown_conditions_count_against_the_caller() {
    for condition in [
        r#"{"StringEquals":{"aws:SourceIp":"127.0.0.1"}}"#,
        r#"{"StringNotEqualsIfExists":{"aws:Whatever":"x"}}"#,
        r#"{"Null":{"aws:Whatever":"true"}}"#,
        r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#,
        r#"{"DateGreaterThan":{"aws:CurrentTime":"2000-01-01T00:00:00Z"}}"#,
        r#"{"NumericLessThan":{"aws:MultiFactorAuthAge":"10"}}"#,
        r#"{"ForAllValues:StringEquals":{"aws:TagKeys":"x"}}"#,
        r#"{"ForAnyValue:StringEquals":{"aws:PrincipalAccount":"111122223333"}}"#,
        r#"{"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}}"#,
    ] {
        let more = format!(r#","Condition":{condition}"#);
        let allow = policy(&[statement("Allow", r#""*""#, "*", &more)]);
        assert_eq!(other_gets(&allow).unwrap_err().kind, AccessDenied, "{condition}");
        owner_gets(&allow).unwrap();
        let deny = policy(&[statement("Deny", r#""*""#, "*", &more)]);
        assert_eq!(owner_gets(&deny).unwrap_err().kind, AccessDenied, "{condition}");
    }
    // A known No decides, whatever else is unknown.
    let both = r#","Condition":{"StringEquals":{"aws:PrincipalAccount":"9","aws:SourceIp":"x"}}"#;
    owner_gets(&policy(&[statement("Deny", r#""*""#, "*", both)])).unwrap();
}

/// SEM-ACCESS-10: values under AWS's own key stay within the account; metadata does not.
#[test]
fn the_default_key_is_of_the_account() {
    let text = "You can't access a secret from a different AWS account if you encrypt the secret \
                with the default KMS service key.";
    let mut world = created();
    world.put_policy(S, &allow(OTHER, "*")).unwrap();
    let arn = world.describe(S).unwrap().arn;
    be(&mut world, OTHER);
    refused(world.get(&arn), InvalidRequest, text);
    refused(world.put(&arn, "v2", "two", &[]), InvalidRequest, text);
    refused(world.update(&arn, "v2", None, Some("two")), InvalidRequest, text);
    world.update(&arn, "v2", Some("described"), None).unwrap();
    world.describe(&arn).unwrap();
    // Who may not reach the secret does not learn which key it has.
    world.scope = Scope::new("999999999999", "us-east-1");
    assert_eq!(world.get(&arn).unwrap_err().kind, AccessDenied);
}

/// SEM-ACCESS-11: a policy that does not read denies; the owner can still replace it.
#[test]
fn a_policy_that_cannot_be_read_denies() {
    let (mut world, arn) = guarded(&allow(OTHER, "*"));
    let record = world.view.secrets.values_mut().next().unwrap();
    record.policies.as_mut().unwrap().default = Some("{}".into());
    assert_eq!(world.get(S).unwrap_err().kind, AccessDenied);
    be(&mut world, OTHER);
    assert_eq!(world.get(&arn).unwrap_err().kind, AccessDenied);
    world.scope = Scope::default();
    world.put_policy(S, &allow(OTHER, "*")).unwrap();
    be(&mut world, OTHER);
    world.get(&arn).unwrap();
}

/// SEM-ACCESS-12: the vault's own accounts are no accounts, and reached by nobody.
#[test]
fn what_no_caller_can_be_is_not_looked_into() {
    let mut world = World { scope: Scope::new("strongroom", "us-east-1"), ..World::default() };
    world.create(S, "v1", Some("one")).unwrap();
    world.put_policy(S, &policy(&[statement("Allow", r#""*""#, "*", "")])).unwrap();
    let arn = world.describe(S).unwrap().arn;
    be(&mut world, OTHER);
    let record = world.view.secrets.values_mut().next().unwrap();
    record.kms_key_id = Some(KEY.into());
    assert_eq!(record.next_seq, Seq(2));
    refused(world.get(&arn), AccessDenied, &unallowed(&arn, "GetSecretValue"));
    refused(world.describe(&arn), AccessDenied, &unallowed(&arn, "DescribeSecret"));
}
