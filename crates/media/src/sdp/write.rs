//! The writer. Every text passes [`Clean`], so a description has exactly the lines we meant.

use super::description::{Attribute, Description};
use std::fmt;

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = &self.origin;
        write!(
            f,
            "v=0\r\no={} {} {} IN {} {}\r\ns=-\r\n",
            Clean(&origin.username),
            Clean(&origin.session_id),
            origin.version,
            address_type(&origin.address),
            Clean(&origin.address),
        )?;
        if let Some(address) = &self.connection {
            connection(f, address)?;
        }
        f.write_str("t=0 0\r\n")?;
        attributes(f, &self.attributes)?;
        for media in &self.media {
            write!(
                f,
                "m={} {} {}",
                Clean(media.kind.as_str()),
                media.port,
                Clean(&media.protocol)
            )?;
            for format in &media.formats {
                write!(f, " {}", Clean(format))?;
            }
            f.write_str("\r\n")?;
            if let Some(address) = &media.connection {
                connection(f, address)?;
            }
            attributes(f, &media.attributes)?;
        }
        Ok(())
    }
}

fn connection(f: &mut fmt::Formatter<'_>, address: &str) -> fmt::Result {
    write!(f, "c=IN {} {}\r\n", address_type(address), Clean(address))
}

fn attributes(f: &mut fmt::Formatter<'_>, attributes: &[Attribute]) -> fmt::Result {
    for attribute in attributes {
        match &attribute.value {
            Some(value) => write!(f, "a={}:{}\r\n", Clean(&attribute.name), Clean(value))?,
            None => write!(f, "a={}\r\n", Clean(&attribute.name))?,
        }
    }
    Ok(())
}

fn address_type(address: &str) -> &'static str {
    if address.contains(':') { "IP6" } else { "IP4" }
}

/// Text without control characters.
struct Clean<'a>(&'a str);

impl fmt::Display for Clean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .split(char::is_control)
            .try_for_each(|part| f.write_str(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_start_a_line_of_its_own() {
        let mut d = Description::default();
        d.origin.username = "a\r\nm=audio 1 RTP/AVP 0".into();
        d.attributes
            .push(Attribute::new("x\na=y", "1\r\nc=IN IP4 6.6.6.6"));
        let text = d.to_string();
        assert_eq!(text.lines().count(), 5);
        assert!(Description::parse(&text).unwrap().media.is_empty());
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let text = "v=0\r\no=- 7 3 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\na=ice-lite\r\n\
                    m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:111 opus/48000/2\r\na=sendrecv\r\n\
                    m=video 0 RTP/SAVPF 96\r\na=mid:1\r\n";
        assert_eq!(Description::parse(text).unwrap().to_string(), text);
    }
}
