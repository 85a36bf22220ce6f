//! Requests whose responses come in pages.

use super::operations::{ApiRequest, Request};

/// A request that is answered with a page of items and a token for the next page.
pub trait PagedRequest: ApiRequest + Clone + Into<Request> {
    /// What the pages list.
    type Item;

    /// Asks for the page of a token.
    fn set_next_token(&mut self, next_token: String);

    /// The items of a page, and the token of the next one.
    fn into_page(response: Self::Response) -> (Vec<Self::Item>, Option<String>);
}

macro_rules! paged {
    ($request:ident: $items:ident of $item:ty) => {
        impl $crate::model::api::PagedRequest for $request {
            type Item = $item;

            fn set_next_token(&mut self, next_token: String) {
                self.next_token = Some(next_token);
            }

            fn into_page(response: Self::Response) -> (Vec<$item>, Option<String>) {
                (response.$items, response.next_token)
            }
        }
    };
}

pub(super) use paged;
