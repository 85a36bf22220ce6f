//! Lists as iterators over all of their pages.

use crate::error::{ErrorKind, Result};
use crate::model::api::{ListSecretVersionIds, ListSecrets, PagedRequest};
use crate::vault::Vault;
use std::fmt;
use std::vec::IntoIter;

/// The items of all pages of a list, made by [`Vault::all`]. A page is asked for when the one before is
/// used up. The first error is the last item.
pub struct Pages<R: PagedRequest> {
    vault: Vault,
    /// Asks for the next page; `None`: there is none.
    request: Option<R>,
    page: IntoIter<R::Item>,
}

impl<R: PagedRequest> fmt::Debug for Pages<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("vault", &self.vault).finish_non_exhaustive()
    }
}

impl<R: PagedRequest> Pages<R> {
    fn next_page(&mut self) -> Result<bool> {
        let Some(mut request) = self.request.take() else { return Ok(false) };
        let response = self.vault.perform(request.clone())?;
        let response = R::response_of(response).ok_or(ErrorKind::OutcomeUnknown)?;
        let (page, next_token) = R::into_page(response);
        self.page = page.into_iter();
        self.request = next_token.map(|next_token| {
            request.set_next_token(next_token);
            request
        });
        Ok(true)
    }
}

impl<R: PagedRequest> Iterator for Pages<R> {
    type Item = Result<R::Item>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.page.next() {
                return Some(Ok(item));
            }
            match self.next_page() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Vault {
    /// All items that a listing operation gives, from the page that the request asks for on.
    ///
    /// ```
    /// # use strongroom::{Vault, api::ListSecrets};
    /// # fn main() -> strongroom::Result<()> {
    /// # let vault = Vault::in_memory()?;
    /// # vault.put("app/db", "hunter2")?;
    /// for secret in vault.all(ListSecrets::new().sort_by("name")) {
    ///     println!("{}", secret?.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn all<R: PagedRequest>(&self, request: R) -> Pages<R> {
        Pages { vault: self.clone(), request: Some(request), page: Vec::new().into_iter() }
    }

    /// All secrets that are not scheduled for deletion, the youngest first.
    pub fn secrets(&self) -> Pages<ListSecrets> {
        self.all(ListSecrets::new())
    }

    /// All versions of a secret, the oldest first, those without labels included.
    pub fn versions(&self, secret_id: impl Into<String>) -> Pages<ListSecretVersionIds> {
        self.all(ListSecretVersionIds::new(secret_id).include_deprecated(true))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn all_pages_are_walked_and_an_error_ends_the_walk() {
        let vault = Vault::in_memory().unwrap();
        for name in ["a", "b", "c", "d", "e"] {
            vault.put(name, name).unwrap();
        }
        let pages = vault.all(ListSecrets::new().max_results(2).sort_by("name").sort_order("asc"));
        let names: Vec<String> = pages.map(|secret| secret.unwrap().name).collect();
        assert_eq!(names, ["a", "b", "c", "d", "e"]);
        assert_eq!(vault.secrets().count(), 5);

        vault.put("a", "two").unwrap();
        vault.put("a", "three").unwrap();
        assert_eq!(vault.versions("a").map(Result::unwrap).count(), 3);

        let mut none = vault.versions("none");
        assert!(none.next().unwrap().unwrap_err().is_not_found());
        assert!(none.next().is_none());
    }

    #[test]
    fn a_handle_acts_in_its_scope_and_says_if_it_has_none() {
        let vault = Vault::in_memory().unwrap();
        vault.in_region("eu-west-1").put("a", "there").unwrap();
        assert!(vault.get("a").unwrap_err().is_not_found());
        assert_eq!(vault.in_region("eu-west-1").get("a").unwrap().as_str(), Ok("there"));
        let elsewhere = vault.in_account("123456789012").in_region("eu-west-1");
        assert!(elsewhere.get("a").unwrap_err().is_not_found());
        for handle in [
            vault.in_region("mars"),
            vault.in_account("1"),
            vault.in_account("1").in_region("eu-west-1"),
        ] {
            let error = handle.get("a").unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Usage { .. }), "{error}");
        }
    }
}
