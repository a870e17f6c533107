//! S3 origins against a store that we did not write: moto, with its own check of signatures.

use std::{path::Path, process::Command, time::Duration};

use bytes::Bytes;
use greenroom::{
    images::{Images, Keys, OriginSettings, S3Settings, Settings, survey},
    model::trouble::TroubleKind,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{
    MIB, count, digest, fetch, file, noise,
    port::free_port,
    settings,
    trouble::{Running, run},
};

/// The folder of `make setup`'s Python programs.
const READERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/validators/bin/python");

/// Makes a bucket that is public and one that is not, with an object in each; prints a key that may read both.
const FILL: &str = "
import boto3, sys, json
port, path = sys.argv[1:]
to = dict(endpoint_url=f'http://127.0.0.1:{port}', region_name='us-east-1', aws_access_key_id='x', aws_secret_access_key='y')
s3, iam = boto3.client('s3', **to), boto3.client('iam', **to)
iam.create_user(UserName='reader')
allow = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 's3:*', 'Resource': '*'}]}
iam.put_user_policy(UserName='reader', PolicyName='all', PolicyDocument=json.dumps(allow))
key = iam.create_access_key(UserName='reader')['AccessKey']
s3.create_bucket(Bucket='images')
s3.upload_file(path, 'images', 'debian/12/root fs.squashfs')
print(key['AccessKeyId'], key['SecretAccessKey'])
boto3.client('sts', **to).get_caller_identity()
";

/// A store with one object of `bytes`, and a key for it.
struct Store {
    port: u16,
    key: (String, String),
    _server: Running,
    _dir: tempfile::TempDir,
}

const OBJECT: &str = "s3://images/debian/12/root fs.squashfs";

impl Store {
    async fn new(bytes: &Bytes) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("object"), bytes).unwrap();
        let port = free_port();
        let mut server = Command::new(READERS);
        server.args(["-m", "moto.server", "-p", &port.to_string()]);
        // The seven requests of the script are not checked, all others are.
        server.env("INITIAL_NO_AUTH_ACTION_COUNT", "6").current_dir(dir.path());
        let running = run(&mut server, port).await;
        let filled =
            Command::new(READERS).args(["-c", FILL, &port.to_string(), "object"]).current_dir(dir.path()).output();
        let filled = filled.unwrap();
        let key = String::from_utf8(filled.stdout).unwrap();
        let (access, secret) =
            key.trim().split_once(' ').unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&filled.stderr)));
        Self { port, key: (access.into(), secret.into()), _server: running, _dir: dir }
    }

    fn settings(&self, port: u16) -> S3Settings {
        let (access_key, secret_key) = self.key.clone();
        let endpoint = Some(format!("http://127.0.0.1:{port}"));
        S3Settings { endpoint, region: None, path_style: true, keys: Keys::Given { access_key, secret_key } }
    }
}

fn reading(dir: &Path, s3: S3Settings) -> Images {
    let origins = OriginSettings { patience: Duration::from_secs(6), s3, ..OriginSettings::new(|| 4) };
    Images::open(&Settings { origins, ..settings(dir, 64 * MIB, 64 * MIB) }).unwrap().0
}

/// What lies between us and the store: it resets the first connection that gets this many bytes.
async fn cut(port: u16, after: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut limit = after;
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
            let mut passed = 0;
            loop {
                tokio::select! {
                    read = client.read(&mut up) => match read {
                        Ok(read) if read > 0 => server.write_all(&up[..read]).await.unwrap(),
                        _ => break,
                    },
                    read = server.read(&mut down) => match read {
                        Ok(read) if read > 0 => {
                            passed += read;
                            if client.write_all(&down[..read]).await.is_err() {
                                break;
                            }
                            if passed > limit {
                                // What was written reaches the client before the reset does.
                                tokio::time::sleep(Duration::from_millis(50)).await;
                                socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
                                limit = usize::MAX;
                                break;
                            }
                        }
                        _ => break,
                    },
                }
            }
        }
    });
    near
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_origins_and_trouble_with_them_is_told_in_words() {
    let bytes = noise(1, 5 * MIB);
    let store = Store::new(&bytes).await;
    let object = file(&bytes, &[OBJECT]);
    let dir = tempfile::tempdir().unwrap();
    let images = reading(&dir.path().join("good"), store.settings(store.port));
    assert!(fetch(&images, &object).await.unwrap() == bytes);
    let found = survey(&store.settings(store.port), &OBJECT.parse().unwrap(), |_, _| ()).await.unwrap();
    assert_eq!((found.0, found.1.0), (digest(&bytes), bytes.len() as u64));

    let near = cut(store.port, 3 * MIB).await;
    let images = reading(&dir.path().join("cut"), store.settings(near));
    assert!(fetch(&images, &object).await.unwrap() == bytes, "resumed after a reset");
    assert_eq!(count(&images.counters().origin_bytes), bytes.len() as u64, "no byte was taken twice");
    assert_eq!(count(&images.counters().origin_errors), 1);

    let good = store.settings(store.port);
    let wrong = |access: &str, secret: &str| {
        let keys = Keys::Given { access_key: access.into(), secret_key: secret.into() };
        S3Settings { keys, ..store.settings(store.port) }
    };
    let (access, _) = &store.key;
    for (s3, origin, kind, words) in [
        (
            wrong("AKIAEXAMPLE", "x"),
            OBJECT,
            TroubleKind::Forbidden,
            "InvalidAccessKeyId: check the secrets that `images.s3` names",
        ),
        (wrong(access, "wrong"), OBJECT, TroubleKind::Forbidden, "SignatureDoesNotMatch: check the secrets"),
        (
            S3Settings { keys: Keys::Environment, ..good.clone() },
            OBJECT,
            TroubleKind::Forbidden,
            "this key may not read",
        ),
        (good.clone(), "s3://images/none", TroubleKind::Missing, "there is no such object"),
        (good.clone(), "s3://nothing/none", TroubleKind::Missing, "NoSuchBucket: there is no such bucket"),
        (
            S3Settings { endpoint: Some("http://127.0.0.1:9".into()), ..good.clone() },
            OBJECT,
            TroubleKind::Refused,
            "it refuses connections",
        ),
        (
            S3Settings { keys: Keys::Missing("the secret `k` cannot be read".into()), ..good },
            OBJECT,
            TroubleKind::NotSetUp,
            "the secret `k` cannot be read",
        ),
    ] {
        let images = reading(&tempfile::tempdir().unwrap().path().join("wrong"), s3);
        let error = fetch(&images, &file(&bytes, &[origin])).await.unwrap_err();
        eprintln!("log: {error}\nconsole: {}", greenroom::model::trouble::all(&error.troubles()));
        assert!(error.to_string().contains(words) && error.to_string().contains(origin), "{error}");
        assert_eq!(error.troubles()[0].kind, kind);
        assert!(!error.troubles()[0].to_string().contains("none"), "no key out there");
    }
}
