//! Where things are: the vault, its own key file, the region.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::crypto::VaultId;
use crate::model::name::is_region;
use crate::model::{Scope, SecretRef};
use std::path::PathBuf;

/// The vault's folder: flag, `STRONGROOM_VAULT`, else the XDG data folder.
pub(crate) fn vault(context: &Context, global: &Global) -> Result<PathBuf, CliError> {
    if let Some(dir) = &global.vault {
        return Ok(dir.clone());
    }
    if let Some(dir) = context.var("STRONGROOM_VAULT") {
        return Ok(dir.into());
    }
    base(context, "XDG_DATA_HOME", ".local/share").ok_or_else(|| {
        CliError::usage("no folder for the vault: give --vault, or set STRONGROOM_VAULT or HOME")
    })
}

/// The folder of key files: `$XDG_CONFIG_HOME/strongroom/keys`, else below `$HOME/.config`.
pub(crate) fn keys(context: &Context) -> Option<PathBuf> {
    base(context, "XDG_CONFIG_HOME", ".config").map(|base| base.join("keys"))
}

/// The vault's own key file.
pub(crate) fn own_key_file(context: &Context, id: VaultId) -> Option<PathBuf> {
    keys(context).map(|keys| keys.join(format!("{id}.key")))
}

/// The region: flag, `AWS_REGION`, `AWS_DEFAULT_REGION`, us-east-1.
pub(crate) fn region(context: &Context, global: &Global) -> Result<String, CliError> {
    let from_env = || {
        ["AWS_REGION", "AWS_DEFAULT_REGION"]
            .into_iter()
            .find_map(|name| context.var(name))
            .map(|value| value.to_string_lossy().into_owned())
    };
    let region =
        global.region.clone().or_else(from_env).unwrap_or_else(|| Scope::DEFAULT_REGION.to_owned());
    if is_region(&region) {
        Ok(region)
    } else {
        Err(CliError::usage("this is not a region")
            .hint("a region looks like us-east-1; see --region, AWS_REGION, AWS_DEFAULT_REGION"))
    }
}

/// The account and region of an operation on `name`. An ARN names both. `--region` overrides the region of an
/// ARN, as with AWS.
pub(crate) fn scope_of(context: &Context, global: &Global, name: &str) -> Result<Scope, CliError> {
    let region = region(context, global)?;
    Ok(match SecretRef::parse(name) {
        Ok(SecretRef::Arn(arn)) => in_region(arn.scope, global),
        Ok(SecretRef::PartialArn(scope, _)) => in_region(scope, global),
        _ => Scope::new(Scope::DEFAULT_ACCOUNT, &region),
    })
}

fn in_region(scope: Scope, global: &Global) -> Scope {
    match &global.region {
        Some(region) => Scope::new(&scope.account, region),
        None => scope,
    }
}

/// Strongroom's folder below an XDG base folder. Relative base folders are ignored, as the XDG rules say.
fn base(context: &Context, xdg: &str, below_home: &str) -> Option<PathBuf> {
    let absolute =
        |name: &str| context.var(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(xdg)
        .or_else(|| absolute("HOME").map(|home| home.join(below_home)))
        .map(|base| base.join("strongroom"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cli::testing::context;
    use std::path::Path;

    #[test]
    fn the_vault_is_the_flags_then_the_variables_then_the_data_folders() {
        let vars = [("STRONGROOM_VAULT", "/b"), ("XDG_DATA_HOME", "/c"), ("HOME", "/d")];
        let at = |vars: &[(&str, &str)], global: &Global| vault(&context(vars), global).unwrap();
        let none = Global::default();
        let flag = Global { vault: Some("a".into()), ..Global::default() };
        assert_eq!(at(&vars, &flag), Path::new("a"));
        assert_eq!(at(&vars, &none), Path::new("/b"));
        assert_eq!(at(vars.get(1..).unwrap(), &none), Path::new("/c/strongroom"));
        assert_eq!(at(vars.get(2..).unwrap(), &none), Path::new("/d/.local/share/strongroom"));
        assert_eq!(vault(&context(&[]), &none).unwrap_err().exit.code(), 2);
    }

    #[test]
    fn empty_and_relative_base_folders_count_as_unset() {
        let context =
            context(&[("STRONGROOM_VAULT", ""), ("XDG_DATA_HOME", "rel"), ("HOME", "/d")]);
        let dir = vault(&context, &Global::default()).unwrap();
        assert_eq!(dir, Path::new("/d/.local/share/strongroom"));
    }

    #[test]
    fn the_own_key_file_is_named_after_the_vault() {
        let id = VaultId([0x11; 16]);
        let at = |vars: &[(&str, &str)]| own_key_file(&context(vars), id);
        let name = "strongroom/keys/11111111-1111-1111-1111-111111111111.key";
        assert_eq!(
            at(&[("XDG_CONFIG_HOME", "/c"), ("HOME", "/d")]),
            Some(Path::new("/c").join(name))
        );
        assert_eq!(at(&[("HOME", "/d")]), Some(Path::new("/d/.config").join(name)));
        assert_eq!(at(&[]), None);
    }

    #[test]
    fn the_region_is_the_flags_then_the_variables_then_the_default() {
        let vars = [("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "eu-west-2")];
        let at = |vars: &[(&str, &str)], flag: Option<&str>| {
            let global = Global { region: flag.map(str::to_owned), ..Global::default() };
            region(&context(vars), &global).map_err(|failure| failure.exit.code())
        };
        assert_eq!(at(&vars, Some("cn-north-1")), Ok("cn-north-1".into()));
        assert_eq!(at(&vars, None), Ok("eu-west-1".into()));
        assert_eq!(at(vars.get(1..).unwrap(), None), Ok("eu-west-2".into()));
        assert_eq!(at(&[], None), Ok("us-east-1".into()));
        assert_eq!(at(&[], Some("x y")), Err(2));
    }

    #[test]
    fn an_arn_says_its_own_account_and_region_unless_the_flag_stands_against_it() {
        let arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:a/b-AbCdEf";
        let context = context(&[("AWS_REGION", "us-west-2")]);
        let none = Global::default();
        let flag = Global { region: Some("us-west-1".into()), ..Global::default() };
        let scope = |global: &Global, name: &str| scope_of(&context, global, name).unwrap();
        assert_eq!(scope(&none, arn), Scope::new("111122223333", "eu-west-1"));
        assert_eq!(scope(&flag, arn), Scope::new("111122223333", "us-west-1"));
        assert_eq!(scope(&none, "a/b"), Scope::new("000000000000", "us-west-2"));
    }
}
