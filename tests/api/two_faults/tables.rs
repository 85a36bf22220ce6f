//! The operations, a right request of each, and what can be wrong with it.

use super::Step::{self, Existence, Model, Name, Replica, Rule, State, Token};
use serde_json::{Value, json};

/// What is wrong: a member, its value (`null`: it is left out), and what refuses it: the exception and a part
/// of its text.
#[derive(Clone)]
pub struct Fault {
    pub step: Step,
    pub member: &'static str,
    pub value: Value,
    pub exception: &'static str,
    pub text: &'static str,
}

/// An operation, a right request, its faults.
pub struct Table {
    pub operation: &'static str,
    pub request: Value,
    pub faults: Vec<Fault>,
}

const NOW: &str = "11111111-1111-4111-8111-111111111111";
/// The token of the version that a secret has.
pub const USED: &str = "22222222-2222-4222-8222-222222222222";
const NOBODY: &str = "33333333-3333-4333-8333-333333333333";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:none";
const ACCOUNTS: &str = "arn:aws:secretsmanager:us-east-1:111122223333:secret:x-AbCdEf";
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}"#;

const INVALID: &str = "InvalidParameterException";
const REQUEST: &str = "InvalidRequestException";
const MISSING: &str = "ResourceNotFoundException";
const EXISTS: &str = "ResourceExistsException";
const DENIED: &str = "AccessDeniedException";
const MALFORMED: &str = "MalformedPolicyDocumentException";

const CHANGES: &[Step] = &[Model, Name, Existence, Replica, State];
const DELETIONS: &[Step] = &[Model, Name, Existence, Replica];
const READS: &[Step] = &[Model, Name, Existence];
const READS_ACTIVE: &[Step] = &[Model, Name, Existence, State];

fn table(operation: &'static str, request: Value) -> Table {
    Table { operation, request, faults: Vec::new() }
}

impl Table {
    fn fault(
        mut self,
        step: Step,
        (member, value): (&'static str, Value),
        exception: &'static str,
        text: &'static str,
    ) -> Self {
        self.faults.push(Fault { step, member, value, exception, text });
        self
    }

    fn model(self, member: &'static str, value: Value) -> Self {
        self.fault(Model, (member, value), "ValidationException", "1 validation error detected")
    }

    fn rule(
        self,
        order: u8,
        member: (&'static str, Value),
        exception: &'static str,
        text: &'static str,
    ) -> Self {
        self.fault(Rule(order), member, exception, text)
    }

    /// The faults of a `SecretId`, as far as an operation has them.
    fn id(mut self, steps: &[Step]) -> Self {
        let id = |value: &str| ("SecretId", json!(value));
        let no_secret = "can't find the specified secret.";
        let all = table("", Value::Null)
            .model("SecretId", json!("x".repeat(2049)))
            .fault(Name, id("a*"), "ValidationException", "Invalid name.")
            .fault(Existence, id("unknown"), MISSING, no_secret)
            .fault(Replica, id("replica"), INVALID, "not permitted on a replica")
            .fault(State, id("scheduled"), REQUEST, "was marked for deletion");
        self.faults.extend(all.faults.into_iter().filter(|fault| steps.contains(&fault.step)));
        self
    }

    fn token(self, exception: &'static str) -> Self {
        let member = "ClientRequestToken";
        self.fault(Token, (member, Value::Null), exception, "You must provide a ClientRequestToken")
            .model(member, json!("short"))
    }

    fn used_token(self) -> Self {
        self.rule(0, ("ClientRequestToken", json!(USED)), EXISTS, "already in use")
    }

    fn page(self, order: u8) -> Self {
        self.model("MaxResults", json!(0)).rule(
            order,
            ("NextToken", json!("x")),
            "InvalidNextTokenException",
            "NextToken",
        )
    }
}

pub fn tables() -> Vec<Table> {
    [of_values(), of_secrets(), of_policies(), of_rotation(), of_replicas()]
        .into_iter()
        .flatten()
        .collect()
}

fn of_values() -> Vec<Table> {
    let no_value = "can't find the specified secret value for VersionId";
    let good = json!({"SecretId": "good"});
    let put = json!({"SecretId": "good", "ClientRequestToken": NOW, "SecretString": "x"});
    let label = json!({"SecretId": "good", "VersionStage": "X", "MoveToVersionId": USED});
    vec![
        table("PutSecretValue", put.clone())
            .token(REQUEST)
            .id(CHANGES)
            .model("VersionStages", json!([""]))
            .used_token(),
        table("UpdateSecret", put)
            .token(REQUEST)
            .id(CHANGES)
            .model("Description", json!("d".repeat(2049)))
            .used_token(),
        table("UpdateSecretVersionStage", label)
            .id(CHANGES)
            .model("VersionStage", json!(""))
            .model("MoveToVersionId", json!("short"))
            .rule(1, ("MoveToVersionId", json!(NOBODY)), MISSING, no_value),
        table("GetSecretValue", good.clone())
            .id(READS_ACTIVE)
            .model("VersionId", json!("short"))
            .model("VersionStage", json!(""))
            .rule(0, ("VersionId", json!(NOBODY)), MISSING, no_value),
        table("ListSecretVersionIds", good).id(READS).page(0),
        table("GetRandomPassword", json!({}))
            .model("PasswordLength", json!(0))
            .model("ExcludeCharacters", json!("x".repeat(4097))),
    ]
}

fn of_secrets() -> Vec<Table> {
    let tags = |key: &str| json!([{"Key": key, "Value": ""}]);
    let system = "You can't modify system tags.";
    let home = json!([{"Region": "us-east-1"}]);
    let new = json!({"Name": "new", "ClientRequestToken": NOW, "SecretString": "x"});
    let good = json!({"SecretId": "good"});
    let scheduled = ("SecretId", json!("scheduled"));
    vec![
        table("CreateSecret", new)
            .token(REQUEST)
            .model("Name", json!("x".repeat(513)))
            .fault(Name, ("Name", json!("a*")), "ValidationException", "Invalid name.")
            .model("Description", json!("d".repeat(2049)))
            .rule(0, ("Name", json!("good")), EXISTS, "already exists.")
            .rule(0, ("Name", json!("scheduled")), REQUEST, "already scheduled for deletion.")
            .rule(1, ("Tags", tags("aws:x")), INVALID, system)
            .rule(2, ("AddReplicaRegions", home), INVALID, "Invalid replica region."),
        table("DeleteSecret", good.clone())
            .id(DELETIONS)
            .rule(0, ("SecretId", json!("primary")), INVALID, "still has replica regions")
            .rule(1, scheduled, REQUEST, "was already scheduled for deletion")
            .rule(2, ("RecoveryWindowInDays", json!(31)), INVALID, "between 7 and 30 days"),
        table("RestoreSecret", json!({"SecretId": "scheduled"})).id(DELETIONS),
        table("DescribeSecret", good).id(READS),
        table("ListSecrets", json!({}))
            .model("SortOrder", json!("up"))
            .model("SortBy", json!("size"))
            .page(0),
        table("TagResource", json!({"SecretId": "good", "Tags": tags("k")}))
            .id(CHANGES)
            .model("Tags", tags(""))
            .rule(0, ("Tags", tags("aws:x")), INVALID, system),
        table("UntagResource", json!({"SecretId": "good", "TagKeys": ["k"]}))
            .id(CHANGES)
            .model("TagKeys", json!([""])),
    ]
}

fn of_policies() -> Vec<Table> {
    let empty = || ("ResourcePolicy", json!(r#"{"Version":"2012-10-17","Statement":[]}"#));
    let long = json!("x".repeat(20_481));
    let name = || ("PolicyName", json!("other"));
    let good = json!({"SecretId": "good"});
    let with_policy = json!({"SecretId": "good", "ResourcePolicy": POLICY});
    vec![
        table("PutResourcePolicy", with_policy.clone())
            .id(CHANGES)
            .model("ResourcePolicy", long.clone())
            .model("PolicyName", json!("a.b"))
            .rule(0, name(), INVALID, "with the name default")
            .rule(1, empty(), MALFORMED, "syntax error"),
        table("GetResourcePolicy", good.clone())
            .id(READS_ACTIVE)
            .model("PolicyName", json!("a.b"))
            .rule(0, name(), MISSING, "can't find the specified resource policy"),
        table("DeleteResourcePolicy", good.clone())
            .id(CHANGES)
            .model("PolicyName", json!("a.b"))
            .rule(0, name(), INVALID, "with the name default"),
        table("ListResourcePolicies", good).id(READS_ACTIVE).page(0),
        table("ValidateResourcePolicy", with_policy).id(READS).model("ResourcePolicy", long).rule(
            0,
            empty(),
            MALFORMED,
            "syntax error",
        ),
    ]
}

fn of_rotation() -> Vec<Table> {
    let both = json!({"AutomaticallyAfterDays": 1, "ScheduleExpression": "rate(1 day)"});
    vec![
        table("RotateSecret", json!({"SecretId": "good", "ClientRequestToken": NOW}))
            .id(CHANGES)
            .token(INVALID)
            .rule(0, ("RotationRules", both), INVALID, "You cannot specify both")
            .rule(1, ("RotationLambdaARN", json!(FUNCTION)), DENIED, "cannot invoke"),
        table("CancelRotateSecret", json!({"SecretId": "good"})).id(CHANGES),
    ]
}

fn of_replicas() -> Vec<Table> {
    let region = |region: &str| json!([{"Region": region}]);
    let add = json!({"SecretId": "good", "AddReplicaRegions": region("eu-west-1")});
    let remove = json!({"SecretId": "good", "RemoveReplicaRegions": ["eu-west-1"]});
    let link = json!({"SecretId": "good", "CrossAccountReplicaARN": ACCOUNTS});
    let home = ("AddReplicaRegions", region("us-east-1"));
    let mut tables = vec![
        table("ReplicateSecretToRegions", add)
            .id(CHANGES)
            .model("AddReplicaRegions", region("nowhere"))
            .rule(0, home, INVALID, "Invalid replica region."),
        table("RemoveRegionsFromReplication", remove)
            .id(CHANGES)
            .model("RemoveReplicaRegions", json!(["nowhere"])),
        table("StopReplicationToReplica", json!({"SecretId": "replica"})).id(READS).rule(
            0,
            ("SecretId", json!("good")),
            INVALID,
            "only permitted on a replica",
        ),
    ];
    for operation in ["AssociateCrossAccountReplica", "DisassociateCrossAccountReplica"] {
        let table = table(operation, link.clone()).id(CHANGES);
        tables.push(table.model("CrossAccountReplicaARN", json!("short")));
    }
    tables
}
