//! The small Arabic-English translator that ships with Hala: its files as bytes.
