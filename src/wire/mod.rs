//! HTTP, JSON and AWS error shapes.
