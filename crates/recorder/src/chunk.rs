/// What is to be written next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk {
    /// Goes to the end of the file.
    pub append: Vec<u8>,
    /// Then takes the place of the file's first octets; empty if these stay as they are.
    pub begin: Vec<u8>,
}

/// What makes a file whole that could not be written to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cut {
    /// The file ends here.
    pub length: u64,
    /// What it begins with then; nothing is left if this is empty.
    pub begin: Vec<u8>,
    /// How long what is left lasts.
    pub duration: std::time::Duration,
}
