//! Resource policies as texts: what is attached, what is refused (SEM-POLICY).

use super::{S, created, refused, scheduled, unchanged};
use crate::model::Policies;
use crate::model::api::{
    DeleteResourcePolicy, GetResourcePolicy, ListResourcePolicies, PutResourcePolicy,
    ValidateResourcePolicy,
};
use crate::semantics::Fault;
use crate::semantics::FaultKind::{
    InvalidNextToken, InvalidParameter, InvalidRequest, MalformedPolicyDocument, PublicPolicy,
    ResourceNotFound, Validation,
};
use crate::semantics::memory::{Mutation, World};

const SYNTAX: &str = "This resource policy contains a syntax error.";
const PRINCIPAL: &str = "This resource policy contains an unsupported principal.";
const SERVICE: &str = "This resource policy contains an unsupported service principal.";
const BROAD: &str =
    "You can't attach a resource-based policy that allows broad access to the secret.";
const MARKED: &str =
    "You can't perform this operation on the secret because it was marked for deletion.";
const GONE: &str = "Secrets Manager can't find the specified secret.";
const BAD_NAME: &str = "Invalid name. Must be a valid name containing alphanumeric characters, or \
                        any of the following: -/_+=.@!";
const RESERVED: &str = "You can attach and delete only the resource policy with the name default.";

/// A policy of one statement with these members.
fn policy(statement: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{{statement}}}]}}"#)
}

const LEGAL: &str =
    r#""Effect":"Allow","Principal":"*","Action":"secretsmanager:GetSecretValue","Resource":"*""#;

/// How a policy of that statement is read back.
const SHOWN: &str = r#"{
  "Version" : "2012-10-17",
  "Statement" : [ {
    "Effect" : "Allow",
    "Principal" : "*",
    "Action" : "secretsmanager:GetSecretValue",
    "Resource" : "*"
  } ]
}"#;

fn put(world: &mut World, request: PutResourcePolicy) -> Result<(), Fault> {
    world.run(&Mutation::PutResourcePolicy(request), None).map(drop)
}

fn with(text: &str) -> PutResourcePolicy {
    PutResourcePolicy {
        secret_id: S.into(),
        resource_policy: text.into(),
        policy_name: None,
        block_public_policy: None,
    }
}

fn get(world: &World, name: Option<&str>) -> Result<Option<String>, Fault> {
    let request =
        GetResourcePolicy { secret_id: S.into(), policy_name: name.map(ToOwned::to_owned) };
    let answer = world.read(&request)?;
    assert_eq!(answer.policy_name.as_deref(), name.or(Some("default")));
    Ok(answer.policy)
}

fn list(world: &World, page: Option<i64>, token: Option<String>) -> Result<Vec<String>, Fault> {
    let request =
        ListResourcePolicies { secret_id: S.into(), max_results: page, next_token: token };
    let page = world.read(&request)?;
    let mut names = page.policy_names;
    if let Some(next) = page.next_token {
        names.push("|".into());
        names.extend(list(world, request.max_results, Some(next))?);
    }
    Ok(names)
}

fn validate(world: &World, id: Option<&str>, text: &str) -> Result<Vec<String>, Fault> {
    let request = ValidateResourcePolicy {
        secret_id: id.map(ToOwned::to_owned),
        resource_policy: text.into(),
    };
    let answer = world.read(&request)?;
    Ok(answer.errors.into_iter().map(|finding| finding.error_message).collect())
}

/// SEM-POLICY-1: attached, shown in AWS's layout, replaced, detached; a change of the secret each time, and
/// none when nothing changes.
#[test]
fn a_policy_is_shown_in_the_layout_of_aws() {
    let mut world = created();
    assert_eq!(world.policy(S).unwrap(), None);
    let text = policy(LEGAL).replace(',', " ,\r\n\t");
    let named = world.put_policy(S, &text).unwrap();
    assert_eq!((named.name.as_str(), named.policy_name.as_deref()), (S, Some("default")));
    assert_eq!(named.arn, world.describe(S).unwrap().arn);
    assert_eq!(world.policy(S).unwrap().as_deref(), Some(SHOWN));
    unchanged(&mut world, |world| world.put_policy(S, &text)).unwrap();
    let before = world.describe(S).unwrap().last_changed_date;
    world.put_policy(S, &policy(LEGAL)).unwrap();
    assert_eq!(world.policy(S).unwrap().as_deref(), Some(SHOWN));
    assert!(world.describe(S).unwrap().last_changed_date > before);
    assert_eq!(world.delete_policy(S).unwrap().policy_name.as_deref(), Some("default"));
    assert_eq!(world.policy(S).unwrap(), None);
    assert!(world.view.secrets.values().all(|record| record.policies.is_none()));
}

/// SEM-POLICY-2: nothing to detach is no error.
#[test]
fn detaching_nothing_succeeds() {
    let mut world = created();
    unchanged(&mut world, |world| world.delete_policy(S)).unwrap();
}

/// SEM-POLICY-3: the longest policy, counted in characters, and one more.
#[test]
fn a_policy_has_20480_characters() {
    let mut world = created();
    let frame = policy(&format!(r#"{LEGAL},"Condition":{{"StringEquals":{{"aws:x":""}}}}"#));
    let fill = "\u{1f600}".repeat(20_480 - frame.chars().count());
    let longest = frame.replace(r#""aws:x":"""#, &format!(r#""aws:x":"{fill}""#));
    assert_eq!(longest.chars().count(), 20_480);
    world.put_policy(S, &longest).unwrap();
    assert!(world.policy(S).unwrap().is_some_and(|shown| shown.contains(&fill)));
    let fault = world.put_policy(S, &format!("{longest} ")).unwrap_err();
    assert_eq!(fault.kind, Validation);
    assert!(fault.message.ends_with(
        "at 'resourcePolicy' failed to satisfy constraint: Member must have length less than or \
         equal to 20480"
    ));
    refused(
        world.put_policy(S, ""),
        Validation,
        "1 validation error detected: Value '' at 'resourcePolicy' failed to satisfy constraint: \
         Member must have length greater than or equal to 1",
    );
}

/// SEM-POLICY-4: JSON, strictly.
#[test]
fn what_is_no_json_is_a_syntax_error() {
    let legal = policy(LEGAL);
    for text in [
        "x".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "\"{}\"".to_owned(),
        format!("{legal} x"),
        format!("\u{feff}{legal}"),
        legal[..legal.len() - 1].to_owned(),
        legal.replace("\"Effect\"", "\"Effect\":\"Deny\",\"Effect\""),
        "[".repeat(20_000),
    ] {
        refused(created().put_policy(S, &text), MalformedPolicyDocument, SYNTAX);
    }
}

/// SEM-POLICY-5: the elements of a policy, and no others.
#[test]
fn a_policy_has_version_id_and_statements() {
    let statement = format!("{{{LEGAL}}}");
    for text in [
        format!(r#"{{"Statement":{statement}}}"#),
        format!(r#"{{"Version":"2008-10-17","Id":"x","Statement":[{statement},{statement}]}}"#),
    ] {
        created().put_policy(S, &text).unwrap();
    }
    for text in [
        "{}".to_owned(),
        r#"{"Version":"2012-10-17"}"#.to_owned(),
        r#"{"Statement":[]}"#.to_owned(),
        r#"{"Statement":"x"}"#.to_owned(),
        r#"{"Statement":[[]]}"#.to_owned(),
        format!(r#"{{"Version":"2013-10-17","Statement":{statement}}}"#),
        format!(r#"{{"Version":20121017,"Statement":{statement}}}"#),
        format!(r#"{{"Id":7,"Statement":{statement}}}"#),
        format!(r#"{{"version":"2012-10-17","Statement":{statement}}}"#),
        format!(r#"{{"Statement":{statement},"Comment":"x"}}"#),
    ] {
        refused(created().put_policy(S, &text), MalformedPolicyDocument, SYNTAX);
    }
}

/// SEM-POLICY-6: the elements of a statement, and no others.
#[test]
fn a_statement_is_whole_and_says_nothing_twice() {
    let edits = [
        (r#""Effect":"Allow""#, r#""Effect":"Deny","Sid":"Some words.""#),
        (r#""Principal":"*""#, r#""NotPrincipal":{"AWS":["111122223333"]}"#),
        (
            r#""Action":"secretsmanager:GetSecretValue""#,
            r#""NotAction":["secretsmanager:Get*","*"]"#,
        ),
        (r#""Resource":"*""#, r#""NotResource":["arn:aws:secretsmanager:*:*:secret:*"]"#),
        (r#""Resource":"*""#, r#""Resource":"*","Condition":{}"#),
        (
            r#""Resource":"*""#,
            r#""Resource":"*","Condition":{"ForAnyValue:StringLikeIfExists":{"aws:x":["a",1,true]}}"#,
        ),
    ];
    for (from, to) in edits {
        created().put_policy(S, &policy(&LEGAL.replace(from, to))).unwrap();
    }
    for (from, to) in [
        (r#""Effect":"Allow","#, ""),
        (r#""Effect":"Allow""#, r#""Effect":"allow""#),
        (r#""Effect":"Allow""#, r#""Effect":["Allow"]"#),
        (r#""Effect":"Allow""#, r#""Effect":"Allow","Sid":1"#),
        (r#""Effect":"Allow""#, r#""Effect":"Allow","Deny":true"#),
        (r#""Principal":"*","#, ""),
        (r#""Principal":"*""#, r#""Principal":"*","NotPrincipal":"*""#),
        (r#""Action":"secretsmanager:GetSecretValue","#, ""),
        (r#""secretsmanager:GetSecretValue""#, "[]"),
        (r#""secretsmanager:GetSecretValue""#, "[[]]"),
        (r#""secretsmanager:GetSecretValue""#, r#""GetSecretValue""#),
        (r#""secretsmanager:GetSecretValue""#, r#""secretsmanager:""#),
        (r#""secretsmanager:GetSecretValue""#, r#""secretsmanager:Get SecretValue""#),
        (r#","Resource":"*""#, ""),
        (r#""Resource":"*""#, r#""Resource":"""#),
        (r#""Resource":"*""#, r#""Resource":"app/db""#),
        (r#""Resource":"*""#, r#""Resource":"arn:aws:secretsmanager""#),
        (r#""Resource":"*""#, r#""Resource":"*","Condition":[]"#),
        (r#""Resource":"*""#, r#""Resource":"*","Condition":{"StringIs":{"aws:x":"y"}}"#),
        (r#""Resource":"*""#, r#""Resource":"*","Condition":{"StringEquals":"x"}"#),
        (r#""Resource":"*""#, r#""Resource":"*","Condition":{"StringEquals":{"x":"y"}}"#),
        (r#""Resource":"*""#, r#""Resource":"*","Condition":{"StringEquals":{":x":"y"}}"#),
        (r#""Resource":"*""#, r#""Resource":"*","Condition":{"StringEquals":{"aws:":"y"}}"#),
        (r#""Resource":"*""#, r#""Resource":"*","Condition":{"StringEquals":{"aws:x":null}}"#),
        (r#""Resource":"*""#, r#""Resource":"*","Condition":{"NullIfExists":{"aws:x":"true"}}"#),
    ] {
        let text = policy(&LEGAL.replacen(from, to, 1));
        assert_ne!(text, policy(LEGAL), "{from}");
        let fault = created().put_policy(S, &text).unwrap_err();
        assert_eq!(
            (fault.kind, fault.message.as_str()),
            (MalformedPolicyDocument, SYNTAX),
            "{text}"
        );
    }
    let two = format!(r#"{{"Statement":[{{"Sid":"a",{LEGAL}}},{{"Sid":"a",{LEGAL}}}]}}"#);
    refused(created().put_policy(S, &two), MalformedPolicyDocument, SYNTAX);
}

/// SEM-POLICY-7: nobody is looked up; what can be nobody's name is refused.
#[test]
fn a_principal_has_the_form_of_one() {
    for principal in [
        r#""*""#,
        r#"{"AWS":"*"}"#,
        r#"{"AWS":"111122223333"}"#,
        r#"{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::111122223333:user/a/b"]}"#,
        r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/a/b"}"#,
        r#"{"AWS":"AROAEXAMPLEEXAMPLE12"}"#,
        r#"{"Federated":"cognito-identity.amazonaws.com","CanonicalUser":"79a5"}"#,
        r#"{"AWS":"111122223333","Service":["lambda.amazonaws.com","s3.cn-north-1.amazonaws.com.cn"]}"#,
    ] {
        let statement = LEGAL.replace(r#""Principal":"*""#, &format!(r#""Principal":{principal}"#));
        created().put_policy(S, &policy(&statement)).unwrap();
    }
    for (principal, text) in [
        (r#""111122223333""#, SYNTAX),
        ("[]", SYNTAX),
        ("{}", SYNTAX),
        (r#"{"AWS":[]}"#, SYNTAX),
        (r#"{"AWS":""}"#, SYNTAX),
        (r#"{"AWS":{"AWS":"*"}}"#, SYNTAX),
        (r#"{"Aws":"*"}"#, SYNTAX),
        (r#"{"AWS":"somebody"}"#, PRINCIPAL),
        (r#"{"AWS":"1111"}"#, PRINCIPAL),
        (r#"{"AWS":"arn:aws:iam::111122223333:*"}"#, PRINCIPAL),
        (r#"{"AWS":"arn:aws:iam::1:root"}"#, PRINCIPAL),
        (r#"{"AWS":"arn:aws:s3:::bucket"}"#, PRINCIPAL),
        (r#"{"AWS":"arn:"}"#, PRINCIPAL),
        (r#"{"Service":"*"}"#, SERVICE),
        (r#"{"Service":"lambda"}"#, SERVICE),
        (r#"{"Service":".amazonaws.com"}"#, SERVICE),
    ] {
        let statement = LEGAL.replace(r#""Principal":"*""#, &format!(r#""Principal":{principal}"#));
        refused(created().put_policy(S, &policy(&statement)), MalformedPolicyDocument, text);
    }
}

/// SEM-POLICY-8: broad access is blocked when that is asked for, and only then.
#[test]
fn broad_access_is_blocked_on_request() {
    let blocked = |text: &str| {
        let mut request = with(text);
        request.block_public_policy = Some(true);
        put(&mut created(), request)
    };
    let everyone = LEGAL.replace("\"*\",\"Action\"", r#"{"AWS":["111122223333","*"]},"Action""#);
    let all_but = LEGAL.replace(r#""Principal":"*""#, r#""NotPrincipal":{"AWS":"111122223333"}"#);
    let when = |condition: &str| format!(r#"{LEGAL},"Condition":{{{condition}}}"#);
    for statement in [
        LEGAL.to_owned(),
        everyone,
        all_but,
        when(""),
        when(r#""StringLike":{"aws:SourceAccount":"1111*"}"#),
        when(r#""StringEqualsIfExists":{"aws:SourceAccount":"111122223333"}"#),
        when(r#""StringNotEquals":{"aws:SourceAccount":"111122223333"}"#),
        when(r#""StringEquals":{"aws:SourceAccount":[]}"#),
        when(r#""StringEquals":{"aws:SourceAccount":["111122223333","${aws:x}"]}"#),
        when(r#""StringEquals":{"aws:RequestedRegion":"us-east-1"}"#),
    ] {
        let text = policy(&statement);
        refused(blocked(&text), PublicPolicy, BROAD);
        put(&mut created(), with(&text)).unwrap();
        let mut allowed = with(&text);
        allowed.block_public_policy = Some(false);
        put(&mut created(), allowed).unwrap();
        assert_eq!(validate(&created(), None, &text).unwrap(), [BROAD]);
    }
    for statement in [
        LEGAL.replace("Allow", "Deny"),
        LEGAL.replace("\"*\",\"Action\"", r#"{"AWS":"111122223333"},"Action""#),
        when(r#""StringEquals":{"aws:SourceVpce":"vpce-1"}"#),
        when(r#""ArnLike":{"AWS:sourcearn":["arn:aws:lambda:us-east-1:111122223333:function:f"]}"#),
    ] {
        blocked(&policy(&statement)).unwrap();
        assert_eq!(validate(&created(), None, &policy(&statement)).unwrap(), [""; 0]);
    }
}

/// SEM-POLICY-9: E12, E1 and E5 as everywhere, before the policy is read.
#[test]
fn a_policy_needs_a_secret_that_is_there() {
    let mut world = created();
    for text in [policy(LEGAL), "no policy".to_owned()] {
        refused(world.put_policy("a b", &text), Validation, BAD_NAME);
        refused(world.put_policy("none", &text), ResourceNotFound, GONE);
        refused(scheduled().put_policy(S, &text), InvalidRequest, MARKED);
    }
    refused(world.delete_policy("a b"), Validation, BAD_NAME);
    refused(world.delete_policy("none"), ResourceNotFound, GONE);
    refused(scheduled().delete_policy(S), InvalidRequest, MARKED);
    refused(list(&scheduled(), None, None), InvalidRequest, MARKED);
    refused(get(&scheduled(), None), InvalidRequest, MARKED);
}

/// SEM-POLICY-10: of a policy to come as well; the state of the secret does not matter.
#[test]
fn a_policy_is_validated_without_a_change() {
    let world = created();
    for id in [None, Some(S)] {
        refused(validate(&world, id, "{"), MalformedPolicyDocument, SYNTAX);
        assert_eq!(validate(&world, id, &policy(LEGAL)).unwrap(), [BROAD]);
    }
    refused(validate(&world, Some("a b"), "{"), Validation, BAD_NAME);
    refused(validate(&world, Some("none"), "{"), ResourceNotFound, GONE);
    let narrow = policy(&LEGAL.replace("Allow", "Deny"));
    assert_eq!(validate(&scheduled(), Some(S), &narrow).unwrap(), [""; 0]);
    assert_eq!(world.policy(S).unwrap(), None);
}

/// SEM-POLICY-11: only `default` can be attached and detached, and answers name it; others are shown if they
/// are there.
#[test]
fn policies_have_names() {
    let mut world = created();
    let named = |name: &str| PutResourcePolicy {
        policy_name: Some(name.to_owned()),
        ..with(&policy(LEGAL))
    };
    refused(put(&mut world, named("other")), InvalidParameter, RESERVED);
    let bad = put(&mut world, named("a b")).unwrap_err();
    assert_eq!(
        bad.message,
        "1 validation error detected: Value 'a b' at 'policyName' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: [0-9A-Za-z\\-\\_]+"
    );
    assert_eq!(put(&mut world, named(&"n".repeat(65))).unwrap_err().kind, Validation);
    put(&mut world, named("default")).unwrap();
    assert_eq!(get(&world, Some("default")).unwrap().as_deref(), Some(SHOWN));
    refused(
        get(&world, Some("other")),
        ResourceNotFound,
        "Secrets Manager can't find the specified resource policy: other",
    );
    let other = DeleteResourcePolicy { secret_id: S.into(), policy_name: Some("other".into()) };
    let deleted = world.run(&Mutation::DeleteResourcePolicy(other), None);
    refused(deleted, InvalidParameter, RESERVED);
    let default = DeleteResourcePolicy { secret_id: S.into(), policy_name: Some("default".into()) };
    world.run(&Mutation::DeleteResourcePolicy(default), None).unwrap();
    assert_eq!(get(&world, Some("default")).unwrap(), None);
}

/// SEM-POLICY-12: `default` first, the others in alphabetical order, in pages.
#[test]
fn the_names_of_policies_are_listed() {
    let mut world = created();
    assert_eq!(list(&world, None, None).unwrap(), [""; 0]);
    world.put_policy(S, &policy(LEGAL)).unwrap();
    assert_eq!(list(&world, None, None).unwrap(), ["default"]);
    let record = world.view.secrets.values_mut().next().unwrap();
    let policies = record.policies.as_mut().unwrap();
    for name in ["zone", "alpha", "Big"] {
        policies.named.insert(name.to_owned(), policy(&LEGAL.replace("Allow", "Deny")));
    }
    assert_eq!(policies.get("alpha"), Some(policy(&LEGAL.replace("Allow", "Deny")).as_str()));
    assert_eq!(list(&world, None, None).unwrap(), ["default", "Big", "alpha", "zone"]);
    let paged = ["default", "|", "Big", "|", "alpha", "|", "zone"];
    assert_eq!(list(&world, Some(1), None).unwrap(), paged);
    let text = "The NextToken value is invalid.";
    refused(list(&world, None, Some("x".into())), InvalidNextToken, text);
    assert_eq!(list(&world, Some(0), None).unwrap_err().kind, Validation);
    // What AWS attached stays when the user's policy goes.
    world.delete_policy(S).unwrap();
    assert_eq!(list(&world, None, None).unwrap(), ["Big", "alpha", "zone"]);
}

/// SEM-POLICY-13: a purge forgets the policy, as it does description and tags.
#[test]
fn a_purge_forgets_the_policy() {
    let mut world = created();
    world.put_policy(S, &policy(LEGAL)).unwrap();
    world.delete(S, None, Some(true)).unwrap();
    assert!(world.view.secrets.values().all(|record| record.policies.is_none()));
    world.create(S, "v1", Some("one")).unwrap();
    assert_eq!(world.policy(S).unwrap(), None);
    // A deletion that is taken back keeps it.
    world.put_policy(S, &policy(LEGAL)).unwrap();
    world.delete(S, None, None).unwrap();
    world.restore(S).unwrap();
    assert_eq!(world.policy(S).unwrap().as_deref(), Some(SHOWN));
    assert_eq!(Policies::DEFAULT, "default");
}
