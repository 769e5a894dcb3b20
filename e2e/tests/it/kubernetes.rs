//! The example manifests: valid YAML, with what a cluster needs to keep a server running.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

fn documents(name: &str) -> Vec<Value> {
    let path = format!("{}/../packaging/kubernetes/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).expect("a manifest");
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn of_kind<'a>(documents: &'a [Value], kind: &str) -> &'a Value {
    documents.iter().find(|document| document["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"))
}

#[test]
fn every_document_names_what_it_is() {
    let versions = [
        ("Namespace", "v1"),
        ("Secret", "v1"),
        ("Service", "v1"),
        ("StatefulSet", "apps/v1"),
        ("DaemonSet", "apps/v1"),
        ("NetworkPolicy", "networking.k8s.io/v1"),
    ];
    let mut seen = BTreeSet::new();
    for document in documents("tyr-server.yaml").iter().chain(&documents("tyr-agent.yaml")) {
        let kind = document["kind"].as_str().expect("a kind");
        let version = versions.iter().find(|(known, _)| *known == kind).map(|(_, version)| *version);
        assert_eq!(document["apiVersion"].as_str(), version, "{kind}");
        let name = document["metadata"]["name"].as_str().expect("a name");
        assert!(kind == "Namespace" || document["metadata"]["namespace"] == "tyr", "{kind} {name}");
        assert!(seen.insert((kind.to_owned(), name.to_owned())), "{kind} {name} twice");
    }
}

#[test]
fn the_server_is_probed_reached_and_confined() {
    let documents = documents("tyr-server.yaml");
    let set = &of_kind(&documents, "StatefulSet")["spec"];
    let labels = &set["template"]["metadata"]["labels"];
    assert_eq!(&set["selector"]["matchLabels"], labels);
    assert_eq!(&of_kind(&documents, "Service")["spec"]["selector"], labels);
    assert_eq!(&of_kind(&documents, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"], labels);
    assert_eq!(set["serviceName"], of_kind(&documents, "Service")["metadata"]["name"]);
    let pod = &set["template"]["spec"];
    assert!(pod["terminationGracePeriodSeconds"].as_u64() > Some(10), "a stop takes up to 10 s");
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    let container = &pod["containers"][0];
    for probe in ["startupProbe", "readinessProbe"] {
        assert_eq!(container[probe]["httpGet"]["path"], "/health", "{probe}");
        assert_eq!(container[probe]["httpGet"]["scheme"], "HTTPS", "{probe}");
        assert_eq!(container[probe]["httpGet"]["port"], "rest", "{probe}");
    }
    assert!(container["livenessProbe"]["httpGet"].is_null(), "a database that is away must not restart the server");
    let ports: Vec<_> =
        container["ports"].as_array().expect("ports").iter().map(|port| &port["containerPort"]).collect();
    assert_eq!(ports, [7700, 7701]);
    assert_eq!(container["securityContext"]["capabilities"]["drop"][0], "ALL");
    let claims = set["volumeClaimTemplates"].as_array().expect("claims");
    let volumes = pod["volumes"].as_array().expect("volumes");
    let names: BTreeSet<_> = claims
        .iter()
        .map(|claim| &claim["metadata"]["name"])
        .chain(volumes.iter().map(|v| &v["name"]))
        .map(Value::to_string)
        .collect();
    for mount in container["volumeMounts"].as_array().expect("mounts") {
        assert!(names.contains(&mount["name"].to_string()), "{mount}");
    }
    let secret = &container["envFrom"][0]["secretRef"]["name"];
    assert_eq!(secret, &of_kind(&documents, "Secret")["metadata"]["name"]);
}

#[test]
fn the_agent_has_the_capabilities_of_its_unit_and_the_token_of_the_server() {
    let agent = documents("tyr-agent.yaml");
    let pod = &of_kind(&agent, "DaemonSet")["spec"]["template"]["spec"];
    assert_eq!(pod["hostPID"], true);
    assert_eq!(pod["hostNetwork"], true);
    let added: BTreeSet<String> = pod["containers"][0]["securityContext"]["capabilities"]["add"]
        .as_array()
        .expect("capabilities")
        .iter()
        .map(|name| format!("CAP_{}", name.as_str().unwrap_or_default()))
        .collect();
    let unit = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/systemd/tyr-agent.service"))
        .expect("unit");
    let line = unit.lines().find_map(|line| line.strip_prefix("CapabilityBoundingSet=")).expect("capabilities");
    assert_eq!(added, line.split(' ').map(str::to_owned).collect());
    let volumes: BTreeSet<_> =
        pod["volumes"].as_array().expect("volumes").iter().map(|v| v["name"].to_string()).collect();
    for container in pod["containers"].as_array().into_iter().chain(pod["initContainers"].as_array()).flatten() {
        for mount in container["volumeMounts"].as_array().expect("mounts") {
            assert!(volumes.contains(&mount["name"].to_string()), "{mount}");
        }
    }
    let config: Value =
        serde_saphyr::from_str(of_kind(&agent, "Secret")["stringData"]["tyrd.yaml"].as_str().expect("text"))
            .expect("YAML");
    let server = documents("tyr-server.yaml");
    let token = &of_kind(&server, "Secret")["stringData"]["TYR_BOOTSTRAP_ENROLLMENT_TOKEN"];
    assert_eq!(&config["enrollment_token"], token);
}
