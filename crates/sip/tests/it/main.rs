//! The crate from outside: user agents in virtual time, over networks that behave and networks that don't.

mod called;
mod calling;
mod lone;
mod network;
mod pair;
