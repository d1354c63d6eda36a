//! Descriptions in the style of what is out there, written for these tests.

const FINGERPRINT: &str = "sha-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF";

/// What a sample's answer must say.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    text: &'static str,
    pub(crate) protocol: &'static str,
    pub(crate) formats: &'static str,
    /// The mids of all sections, `-` where there is none.
    pub(crate) mids: &'static [&'static str],
    pub(crate) bundle: Option<&'static str>,
    pub(crate) setup: &'static str,
}

impl Sample {
    pub(crate) fn offer(&self) -> String {
        self.text
            .replace("{fingerprint}", FINGERPRINT)
            .replace('\n', "\r\n")
    }
}

pub(crate) const ALL: [Sample; 7] = [
    Sample {
        name: "Asterisk, chan_pjsip with webrtc=yes",
        text: "v=0
o=- 1873246511 1873246511 IN IP4 198.51.100.5
s=Asterisk
c=IN IP4 198.51.100.5
t=0 0
a=msid-semantic:WMS *
a=group:BUNDLE audio-0
m=audio 14236 UDP/TLS/RTP/SAVPF 107 0 8 101
a=connection:new
a=setup:actpass
a=fingerprint:{fingerprint}
a=ice-ufrag:5f1c8a2e0b7d4c31
a=ice-pwd:2a9d7c6e5b4f3a2918070605040302ab
a=candidate:H1c6337605 1 UDP 2130706431 198.51.100.5 14236 typ host
a=candidate:S5db8d822 1 UDP 1694498815 203.0.113.9 14236 typ srflx raddr 198.51.100.5 rport 14236
a=rtpmap:107 opus/48000/2
a=fmtp:107 useinbandfec=1
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=maxptime:60
a=sendrecv
a=rtcp-mux
a=ssrc:1226731642 cname:7d2c1f60-b3aa-4c0f-a1de-000000000000
a=msid:7d2c1f60-b3aa 0f0e0d0c
a=rtcp-fb:* transport-cc
a=mid:audio-0
",
        protocol: "UDP/TLS/RTP/SAVPF",
        formats: "107 0 8 101",
        mids: &["audio-0"],
        bundle: Some("BUNDLE audio-0"),
        setup: "active",
    },
    Sample {
        name: "FreeSWITCH, mod_sofia",
        text: "v=0
o=FreeSWITCH 1763690211 1763690212 IN IP4 203.0.113.20
s=FreeSWITCH
c=IN IP4 203.0.113.20
t=0 0
a=msid-semantic: WMS 9mL3rQxWcZ0vD8sK
m=audio 22418 RTP/SAVPF 102 9 0 8 103 101
a=rtpmap:102 opus/48000/2
a=fmtp:102 useinbandfec=1; maxaveragebitrate=30000; maxplaybackrate=48000; ptime=20; minptime=10; maxptime=40
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:103 telephone-event/48000
a=fmtp:103 0-15
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=fingerprint:{fingerprint}
a=setup:actpass
a=rtcp-mux
a=rtcp:22418 IN IP4 203.0.113.20
a=ssrc:3303218745 cname:Z7yKq2P9Xw
a=ssrc:3303218745 msid:9mL3rQxWcZ0vD8sK a0
a=ssrc:3303218745 mslabel:9mL3rQxWcZ0vD8sK
a=ssrc:3303218745 label:9mL3rQxWcZ0vD8sKa0
a=ice-ufrag:pVn2XbT0yQz8L1aM
a=ice-pwd:W4cE7rT1yU8iO3pA6sD9fG2h
a=candidate:4712908356 1 udp 2130706431 203.0.113.20 22418 typ host generation 0
a=end-of-candidates
a=ptime:20
",
        protocol: "RTP/SAVPF",
        formats: "102 9 0 8 103 101",
        mids: &["-"],
        bundle: None,
        setup: "active",
    },
    Sample {
        name: "Kamailio with rtpengine, ICE force, from a plain RTP phone",
        text: "v=0
o=- 3972546321 3972546321 IN IP4 192.0.2.55
s=-
c=IN IP4 192.0.2.55
t=0 0
m=audio 30112 UDP/TLS/RTP/SAVPF 8 0 101
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=sendrecv
a=rtcp:30112
a=rtcp-mux
a=setup:active
a=fingerprint:{fingerprint}
a=ice-ufrag:h8Jk2Lq0
a=ice-pwd:n3Bv6Cx9Zl1Kj4Hg7Fd0Sa5Qw2
a=candidate:gQ4wN1bT7cR2vYpX 1 UDP 2130706431 192.0.2.55 30112 typ host
a=candidate:gQ4wN1bT7cR2vYpX 2 UDP 2130706430 192.0.2.55 30113 typ host
a=end-of-candidates
",
        protocol: "UDP/TLS/RTP/SAVPF",
        formats: "8 0 101",
        mids: &["-"],
        bundle: None,
        setup: "passive",
    },
    Sample {
        name: "Chromium with audio, video and data, before any candidate",
        text: "v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1 2
a=extmap-allow-mixed
a=msid-semantic: WMS 1f9d0c1e-5ba9-44fe-8b3e-000000000000
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:Jt0x
a=ice-pwd:4sT6oQ8mX1zC3vB5nM7kL9jH
a=ice-options:trickle
a=fingerprint:{fingerprint}
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=sendrecv
a=msid:1f9d0c1e-5ba9-44fe-8b3e-000000000000 2c8e
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:2570980487 cname:hLlSbXyZ0a1b2c3d
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:Jt0x
a=ice-pwd:4sT6oQ8mX1zC3vB5nM7kL9jH
a=fingerprint:{fingerprint}
a=setup:actpass
a=mid:1
a=recvonly
a=rtcp-mux
a=rtpmap:96 VP8/90000
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=ice-ufrag:Jt0x
a=ice-pwd:4sT6oQ8mX1zC3vB5nM7kL9jH
a=fingerprint:{fingerprint}
a=setup:actpass
a=mid:2
a=sctp-port:5000
a=max-message-size:262144
",
        protocol: "UDP/TLS/RTP/SAVPF",
        formats: "111 9 0 8 63 110 126",
        mids: &["0", "1", "2"],
        bundle: Some("BUNDLE 0"),
        setup: "active",
    },
    Sample {
        name: "Firefox, fingerprint and ice-options at session level",
        text: "v=0
o=mozilla...THIS_IS_SDPARTA-99.0 6413278812349871234 0 IN IP4 0.0.0.0
s=-
t=0 0
a=sendrecv
a=fingerprint:{fingerprint}
a=group:BUNDLE 0
a=ice-options:trickle
a=msid-semantic:WMS *
m=audio 49170 UDP/TLS/RTP/SAVPF 109 9 0 8 101
c=IN IP4 198.51.100.77
a=candidate:0 1 UDP 2122252543 6c1b2f0a-aaaa-bbbb-cccc-000000000000.local 49170 typ host
a=candidate:1 1 UDP 1686052863 198.51.100.77 49170 typ srflx raddr 0.0.0.0 rport 0
a=candidate:2 1 TCP 2105524479 6c1b2f0a-aaaa-bbbb-cccc-000000000000.local 9 typ host tcptype active
a=sendrecv
a=end-of-candidates
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level
a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
a=fmtp:101 0-15
a=ice-pwd:0f1e2d3c4b5a69788796a5b4c3d2e1f0
a=ice-ufrag:8c1d2e3f
a=mid:0
a=msid:{0b1c2d3e} {4f5a6b7c}
a=rtcp-mux
a=rtpmap:109 opus/48000/2
a=rtpmap:9 G722/8000/1
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=setup:actpass
a=ssrc:1094127731 cname:{9e8d7c6b}
",
        protocol: "UDP/TLS/RTP/SAVPF",
        formats: "109 9 0 8 101",
        mids: &["0"],
        bundle: Some("BUNDLE 0"),
        setup: "active",
    },
    Sample {
        name: "JsSIP on Safari, candidates gathered",
        text: "v=0
o=- 8712345098123450981 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE audio
a=msid-semantic: WMS 5E4D3C2B
m=audio 57331 UDP/TLS/RTP/SAVPF 111 8 0 126
c=IN IP4 203.0.113.44
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:3388485749 1 udp 2113937151 10.11.12.13 57331 typ host generation 0 network-cost 999
a=candidate:842163049 1 udp 1677729535 203.0.113.44 57331 typ srflx raddr 10.11.12.13 rport 57331 generation 0 network-cost 999
a=ice-ufrag:Kp3v
a=ice-pwd:Zx8cV7bN6mQ5wE4rT3yU2iO1
a=ice-options:trickle
a=fingerprint:{fingerprint}
a=setup:actpass
a=mid:audio
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:126 telephone-event/8000
a=ssrc:991122 cname:q1w2e3r4
a=ssrc:991122 msid:5E4D3C2B 1A2B3C4D
",
        protocol: "UDP/TLS/RTP/SAVPF",
        formats: "111 8 0 126",
        mids: &["audio"],
        bundle: Some("BUNDLE audio"),
        setup: "active",
    },
    Sample {
        name: "A border controller: ice-lite, all at session level, no rtpmap, no mux",
        text: "v=0
o=SBC 11111 22222 IN IP4 203.0.113.99
s=sip call
c=IN IP4 203.0.113.99
t=0 0
a=ice-lite
a=ice-ufrag:sbcu
a=ice-pwd:sbcpasswordsbcpasswordsb
a=fingerprint:{fingerprint}
a=setup:passive
m=audio 40002 UDP/TLS/RTP/SAVP 0 8 18
a=candidate:1 1 UDP 2130706431 203.0.113.99 40002 typ host
a=candidate:1 2 UDP 2130706430 203.0.113.99 40003 typ host
m=video 0 RTP/AVP 31
",
        protocol: "UDP/TLS/RTP/SAVP",
        formats: "0 8",
        mids: &["-", "-"],
        bundle: None,
        setup: "active",
    },
];
