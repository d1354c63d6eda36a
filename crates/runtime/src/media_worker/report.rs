//! A session's figures as JSON: in short for the `stats` event, by W3C's names for `getStats()`.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use audio::Rate;
use media::sdp::negotiate::Content;
use media::session::{CodecStats, Stats, VideoStats};
use media::transport::{
    CandidateKind, Protocol, RelayProtocol, SelectedPath, TcpType, TransportStats,
};
use phone::media::Figures;
use serde_json::{Map, Value, json};
use video::VideoCodec;

use super::engine::DevicesInUse;
use crate::audio::DeviceFigures;

/// The `stats` event's figures.
pub(super) fn summary(stats: &Stats) -> Value {
    let summary = &stats.summary;
    let sent = stats.codecs.iter().find(|codec| codec.outbound);
    json!({
        "mos": rounded(summary.mos),
        "delayMs": rounded(summary.delay_ms),
        "rttMs": summary.rtt_ms.map(rounded),
        "jitterMs": rounded(summary.jitter_ms),
        "lossPct": rounded(summary.loss_pct),
        "concealedPct": rounded(summary.concealed_pct),
        "bufferMs": rounded(summary.buffer_ms),
        "codec": sent.map(|codec| codec.codec.name()),
        "packetsReceived": stats.inbound.packets_received,
        "packetsSent": stats.outbound.packets_sent,
        "packetsLost": stats.inbound.packets_lost,
    })
}

/// What the phone makes the summary of a call of.
pub(super) fn figures(stats: &Stats) -> Figures {
    let summary = &stats.summary;
    let sent = stats.codecs.iter().find(|codec| codec.outbound);
    Figures {
        codec: sent.map(|codec| codec.codec.name().to_owned()),
        mos: summary.mos,
        jitter: summary.jitter_ms,
        rtt: summary.rtt_ms,
        received: stats.inbound.packets_received,
        // Packets that came twice make it negative (RFC 3550 §6.4.1).
        lost: stats.inbound.packets_lost.try_into().unwrap_or_default(),
        loss: summary.loss_pct,
        peer_loss: summary.peer_loss_pct,
        concealed: summary.concealed_pct,
        buffer: summary.buffer_ms,
        delay: summary.delay_ms,
        near_level: summary.near_level,
        far_level: summary.far_level,
        near_peak: summary.near_peak,
        heard: summary.heard,
        clipped: summary.clipped_pct,
        echo_here: summary.echo_here,
        echo_there: summary.echo_there,
        // The thread's to say.
        pressure: 0.0,
    }
}

/// The objects of an `RTCStatsReport` (W3C webrtc-stats), as an array.
pub(super) fn objects(stats: &Stats, devices: DevicesInUse) -> Value {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let mut report = Report {
        timestamp: now.as_micros() as f64 / 1000.0,
        objects: Vec::new(),
    };
    report.inbound(stats, devices);
    report.outbound(stats, devices);
    report.remote(stats);
    for line in &stats.video {
        report.video(line);
    }
    for codec in &stats.codecs {
        report.codec(codec);
    }
    if let Some(transport) = &stats.transport {
        report.transport(transport);
    }
    Value::Array(report.objects)
}

struct Report {
    timestamp: f64,
    objects: Vec<Value>,
}

impl Report {
    fn add(&mut self, id: &str, kind: &str, members: Value) {
        let mut object = Map::new();
        object.insert("id".to_owned(), id.into());
        object.insert("type".to_owned(), kind.into());
        object.insert("timestamp".to_owned(), self.timestamp.into());
        if let Value::Object(members) = members {
            // As in W3C's dictionaries, what is not known is absent.
            object.extend(members.into_iter().filter(|(_, value)| !value.is_null()));
        }
        self.objects.push(Value::Object(object));
    }

    fn inbound(&mut self, stats: &Stats, devices: DevicesInUse) {
        let inbound = &stats.inbound;
        let members = json!({
            "kind": "audio",
            "ssrc": inbound.ssrc,
            "transportId": "transport",
            "codecId": codec_id(stats, false),
            "remoteId": stats.remote_outbound.map(|_| "remote-outbound-rtp"),
            "playoutId": devices.output.map(|_| "media-playout"),
            "packetsReceived": inbound.packets_received,
            "bytesReceived": inbound.bytes_received,
            "packetsLost": inbound.packets_lost,
            "jitter": inbound.jitter,
            "packetsDiscarded": inbound.packets_discarded,
            "fecPacketsReceived": inbound.fec_packets_received,
            "fecPacketsDiscarded": inbound.fec_packets_discarded,
            "fecFramesRecovered": inbound.frames_recovered,
            "totalSamplesReceived": inbound.total_samples_received,
            "concealedSamples": inbound.concealed_samples,
            "silentConcealedSamples": inbound.silent_concealed_samples,
            "concealmentEvents": inbound.concealment_events,
            "insertedSamplesForDeceleration": inbound.inserted_samples_for_deceleration,
            "removedSamplesForAcceleration": inbound.removed_samples_for_acceleration,
            "jitterBufferDelay": inbound.jitter_buffer_delay,
            "jitterBufferTargetDelay": inbound.jitter_buffer_target_delay,
            "jitterBufferEmittedCount": inbound.jitter_buffer_emitted_count,
            "audioLevel": inbound.audio_level,
            "totalAudioEnergy": inbound.total_audio_energy,
            "totalSamplesDuration": inbound.total_samples_duration,
            "lastPacketReceivedTimestamp":
                inbound.since_last_packet.map(|since| self.timestamp - since * 1000.0),
        });
        self.add("inbound-rtp", "inbound-rtp", members);
        if let Some(speaker) = devices.output {
            let members = json!({
                "kind": "audio",
                "totalSamplesCount": speaker.total,
                "totalSamplesDuration": seconds(speaker.total),
            });
            self.add("media-playout", "media-playout", with(members, speaker));
        }
    }

    fn outbound(&mut self, stats: &Stats, devices: DevicesInUse) {
        let outbound = &stats.outbound;
        let members = json!({
            "kind": "audio",
            "ssrc": outbound.ssrc,
            "transportId": "transport",
            "mediaSourceId": "media-source",
            "codecId": codec_id(stats, true),
            "remoteId": stats.remote_inbound.map(|_| "remote-inbound-rtp"),
            "packetsSent": outbound.packets_sent,
            "bytesSent": outbound.bytes_sent,
            "active": outbound.active,
        });
        self.add("outbound-rtp", "outbound-rtp", members);
        let members = json!({
            "kind": "audio",
            "audioLevel": outbound.audio_level,
            "totalAudioEnergy": outbound.total_audio_energy,
            "totalSamplesDuration": outbound.total_samples_duration,
        });
        let members = match devices.input {
            Some(microphone) => {
                let mut members = with(members, microphone);
                members["totalSamplesCaptured"] = microphone.total.into();
                members
            }
            None => members,
        };
        self.add("media-source", "media-source", members);
    }

    fn remote(&mut self, stats: &Stats) {
        if let Some(remote) = &stats.remote_inbound {
            let members = json!({
                "kind": "audio",
                "ssrc": stats.outbound.ssrc,
                "localId": "outbound-rtp",
                "transportId": "transport",
                "packetsLost": remote.packets_lost,
                "fractionLost": remote.fraction_lost,
                "jitter": remote.jitter,
                "roundTripTime": remote.round_trip_time,
                "totalRoundTripTime": remote.total_round_trip_time,
                "roundTripTimeMeasurements": remote.round_trip_time_measurements,
            });
            self.add("remote-inbound-rtp", "remote-inbound-rtp", members);
        }
        if let Some(remote) = &stats.remote_outbound {
            let members = json!({
                "kind": "audio",
                "ssrc": stats.inbound.ssrc,
                "localId": "inbound-rtp",
                "transportId": "transport",
                "packetsSent": remote.packets_sent,
                "bytesSent": remote.bytes_sent,
                "reportsSent": remote.reports_sent,
            });
            self.add("remote-outbound-rtp", "remote-outbound-rtp", members);
        }
    }

    /// Both ways of a line, each if anything went that way; `trackIdentifier` is the number of the line.
    fn video(&mut self, stats: &VideoStats) {
        let id = |kind: &str| format!("{kind}-video-{}", stats.line.0);
        let mid = stats.line.0.to_string();
        let (inbound, outbound) = (&stats.inbound, &stats.outbound);
        let codec = outbound.codec.map(|codec| (id("codec"), codec));
        let content = match stats.content {
            Content::Screen => "detail",
            Content::Camera | Content::Guest(_) => "motion",
        };
        if inbound.packets_received > 0 {
            let members = json!({
                "kind": "video",
                "ssrc": inbound.ssrc,
                "trackIdentifier": mid,
                "transportId": "transport",
                "packetsReceived": inbound.packets_received,
                "bytesReceived": inbound.bytes_received,
                "packetsLost": inbound.packets_lost,
                "jitter": inbound.jitter,
                "packetsDiscarded": inbound.packets_discarded,
                "retransmittedPacketsReceived": inbound.retransmitted_packets_received,
                "retransmittedBytesReceived": inbound.retransmitted_bytes_received,
                "framesReceived": inbound.frames_received,
                "framesDropped": inbound.frames_dropped,
                "keyFramesReceived": inbound.key_frames_received,
                "nackCount": inbound.nack_count,
                "pliCount": inbound.pli_count,
                "firCount": inbound.fir_count,
                "freezeCount": inbound.freeze_count,
                "totalFreezesDuration": inbound.total_freezes_duration,
                "frameWidth": inbound.size.map(|size| size.width),
                "frameHeight": inbound.size.map(|size| size.height),
            });
            self.add(&id("inbound-rtp"), "inbound-rtp", members);
        }
        if let Some((codec, sent)) = codec {
            let members = json!({
                "kind": "video",
                "ssrc": outbound.ssrc,
                "rtxSsrc": outbound.rtx_ssrc,
                "mid": mid,
                "contentType": content,
                "transportId": "transport",
                "codecId": codec,
                "remoteId": stats.remote_inbound.map(|_| id("remote-inbound-rtp")),
                "packetsSent": outbound.packets_sent,
                "bytesSent": outbound.bytes_sent,
                "retransmittedPacketsSent": outbound.retransmitted_packets_sent,
                "retransmittedBytesSent": outbound.retransmitted_bytes_sent,
                "framesSent": outbound.frames_sent,
                "keyFramesSent": outbound.key_frames_sent,
                "framesDropped": outbound.frames_dropped,
                "nackCount": outbound.nack_count,
                "pliCount": outbound.pli_count,
                "firCount": outbound.fir_count,
                "frameWidth": outbound.size.map(|size| size.width),
                "frameHeight": outbound.size.map(|size| size.height),
                "active": outbound.active,
            });
            self.add(&id("outbound-rtp"), "outbound-rtp", members);
            let members = json!({
                "transportId": "transport",
                "mimeType": format!("video/{}", match sent {
                    VideoCodec::Vp8 => "VP8",
                    VideoCodec::H264 => "H264",
                }),
                "clockRate": 90_000,
            });
            self.add(&codec, "codec", members);
        }
        if let Some(remote) = &stats.remote_inbound {
            let members = json!({
                "kind": "video",
                "ssrc": outbound.ssrc,
                "localId": id("outbound-rtp"),
                "transportId": "transport",
                "packetsLost": remote.packets_lost,
                "fractionLost": remote.fraction_lost,
                "jitter": remote.jitter,
                "roundTripTime": remote.round_trip_time,
            });
            self.add(&id("remote-inbound-rtp"), "remote-inbound-rtp", members);
        }
    }

    fn codec(&mut self, codec: &CodecStats) {
        let members = json!({
            "transportId": "transport",
            "mimeType": format!("audio/{}", codec.codec.name()),
            "payloadType": codec.payload_type,
            "clockRate": codec.clock_rate,
            "channels": codec.channels,
        });
        self.add(id_of(codec), "codec", members);
    }

    fn transport(&mut self, transport: &TransportStats) {
        let role = |server: &'static str, client: &'static str| {
            transport
                .dtls_client
                .map(|is_client| if is_client { client } else { server })
        };
        let members = json!({
            "packetsSent": transport.packets_sent,
            "packetsReceived": transport.packets_received,
            "bytesSent": transport.bytes_sent,
            "bytesReceived": transport.bytes_received,
            "iceRole": if transport.controlling { "controlling" } else { "controlled" },
            "dtlsRole": role("server", "client"),
            "selectedCandidatePairId": transport.selected.as_ref().map(|_| "candidate-pair"),
            "selectedCandidatePairChanges": transport.selected_changes,
            "tlsVersion": transport.tls_version,
            "dtlsCipher": transport.dtls_cipher,
            "srtpCipher": transport.srtp_cipher,
        });
        self.add("transport", "transport", members);
        if let Some(selected) = &transport.selected {
            self.pair(transport, selected);
        }
    }

    fn pair(&mut self, transport: &TransportStats, selected: &SelectedPath) {
        let members = json!({
            "transportId": "transport",
            "localCandidateId": "local-candidate",
            "remoteCandidateId": "remote-candidate",
            "state": "succeeded",
            "nominated": true,
            "currentRoundTripTime": transport.rtt.map(|rtt| rtt.as_secs_f64()),
            "totalRoundTripTime": transport.total_rtt.as_secs_f64(),
            "requestsSent": transport.requests_sent,
            "requestsReceived": transport.requests_received,
            "responsesSent": transport.responses_sent,
            "responsesReceived": transport.responses_received,
        });
        self.add("candidate-pair", "candidate-pair", members);
        let (local, remote) = (selected.local, selected.remote);
        let (ours, theirs) = match selected.protocol {
            Protocol::Udp => (Protocol::Udp, Protocol::Udp),
            Protocol::Tcp(_) => (
                Protocol::Tcp(TcpType::Active),
                Protocol::Tcp(TcpType::Passive),
            ),
        };
        let local = (local, ours, selected.local_kind);
        self.candidate("local-candidate", local, selected.relay);
        let remote = (remote, theirs, selected.remote_kind);
        self.candidate("remote-candidate", remote, None);
    }

    fn candidate(
        &mut self,
        kind: &str,
        (address, protocol, origin): (SocketAddr, Protocol, CandidateKind),
        relay: Option<RelayProtocol>,
    ) {
        let mut members = json!({
            "transportId": "transport",
            "address": address.ip().to_string(),
            "port": address.port(),
            "protocol": match protocol {
                Protocol::Udp => "udp",
                Protocol::Tcp(_) => "tcp",
            },
            "candidateType": match origin {
                CandidateKind::Host => "host",
                CandidateKind::ServerReflexive => "srflx",
                CandidateKind::PeerReflexive => "prflx",
                CandidateKind::Relayed => "relay",
            },
        });
        if let Protocol::Tcp(tcptype) = protocol {
            members["tcpType"] = tcptype.name().into();
        }
        if let Some(protocol) = relay {
            members["relayProtocol"] = match protocol {
                RelayProtocol::Udp => "udp",
                RelayProtocol::Tcp => "tcp",
                RelayProtocol::Tls => "tls",
            }
            .into();
        }
        self.add(kind, kind, members);
    }
}

/// Adds what a device had to make up or to throw away.
fn with(mut members: Value, device: DeviceFigures) -> Value {
    members["synthesizedSamplesDuration"] = seconds(device.synthesized).into();
    members["synthesizedSamplesEvents"] = device.synthesized_events.into();
    members["droppedSamplesDuration"] = seconds(device.dropped).into();
    members["droppedSamplesEvents"] = device.dropped_events.into();
    members["xruns"] = device.xruns.into();
    members
}

fn seconds(samples: u64) -> f64 {
    samples as f64 / f64::from(Rate::Hz48000.hz())
}

fn codec_id(stats: &Stats, outbound: bool) -> Option<&'static str> {
    let codec = stats.codecs.iter().find(|codec| codec.outbound == outbound);
    codec.map(id_of)
}

fn id_of(codec: &CodecStats) -> &'static str {
    if codec.outbound {
        "codec-outbound"
    } else {
        "codec-inbound"
    }
}

// Two decimals are enough for people and keep the event short.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
