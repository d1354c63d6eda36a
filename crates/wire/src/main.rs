//! `cargo run -p wire` writes `lib/wire.ts`.

fn main() -> std::io::Result<()> {
    std::fs::write(wire::file(), wire::typescript())
}
