//! One value per tree, reached without an index that could be out of range.

use crate::model::Tree;

/// Holds a `T` for each [`Tree`].
#[derive(Clone, Debug, Default)]
pub(crate) struct PerTree<T> {
    names: T,
    secrets: T,
    versions: T,
    keys: T,
    blobs: T,
    tokens: T,
    labels: T,
    meta: T,
    events: T,
}

impl<T> PerTree<T> {
    /// Makes a value for each tree, in the order of their numbers. Stops at the first error.
    pub(super) fn try_new<E>(mut make: impl FnMut(Tree) -> Result<T, E>) -> Result<Self, E> {
        Ok(Self {
            names: make(Tree::Names)?,
            secrets: make(Tree::Secrets)?,
            versions: make(Tree::Versions)?,
            keys: make(Tree::Keys)?,
            blobs: make(Tree::Blobs)?,
            tokens: make(Tree::Tokens)?,
            labels: make(Tree::Labels)?,
            meta: make(Tree::Meta)?,
            events: make(Tree::Events)?,
        })
    }

    pub(crate) fn of(&self, tree: Tree) -> &T {
        match tree {
            Tree::Names => &self.names,
            Tree::Secrets => &self.secrets,
            Tree::Versions => &self.versions,
            Tree::Keys => &self.keys,
            Tree::Blobs => &self.blobs,
            Tree::Tokens => &self.tokens,
            Tree::Labels => &self.labels,
            Tree::Meta => &self.meta,
            Tree::Events => &self.events,
        }
    }

    pub(crate) fn of_mut(&mut self, tree: Tree) -> &mut T {
        match tree {
            Tree::Names => &mut self.names,
            Tree::Secrets => &mut self.secrets,
            Tree::Versions => &mut self.versions,
            Tree::Keys => &mut self.keys,
            Tree::Blobs => &mut self.blobs,
            Tree::Tokens => &mut self.tokens,
            Tree::Labels => &mut self.labels,
            Tree::Meta => &mut self.meta,
            Tree::Events => &mut self.events,
        }
    }
}

/// The name of a tree of blocks inside sled. It must not change, because a state with other tree names would
/// read as empty.
pub(super) fn tree_name(tree: Tree) -> String {
    format!("{} in blocks", old_tree_name(tree))
}

/// The name of the same tree where each row is one of sled's.
pub(super) fn old_tree_name(tree: Tree) -> String {
    let name = match tree {
        Tree::Names => "names",
        Tree::Secrets => "secrets",
        Tree::Versions => "versions",
        Tree::Keys => "keys",
        Tree::Blobs => "blobs",
        Tree::Tokens => "tokens",
        Tree::Labels => "labels",
        Tree::Meta => "meta",
        Tree::Events => "events",
    };
    name.to_owned()
}
