//! Tokens of the API through the door.

use greenroom::model::{
    Scope, Seconds,
    command::Rejection,
    reply::Reply,
    request::Request,
    token::{TokenOrder, TokenPrint},
};

use crate::world::Lab;

fn create(lab: &mut Lab, name: &str, scopes: &[Scope], lasts: Option<u32>) -> Reply {
    let expires = lasts.map(|lasts| lab.now.plus(Seconds(lasts)));
    let (name, scopes) = (name.parse().unwrap(), scopes.iter().copied().collect());
    let order = TokenOrder::Create { name, scopes, print: TokenPrint::new([7; 32]), expires, by: "ann".into() };
    lab.ask(&Request::Token(order)).0
}

#[test]
fn a_token_is_there_until_it_is_revoked_and_its_name_is_taken_until_it_ends() {
    let mut lab = Lab::new();
    assert_eq!(create(&mut lab, "desk", &[Scope::Arm], Some(60)), Reply::Done);
    let name: greenroom::model::TokenName = "desk".parse().unwrap();
    let token = lab.world.tokens.get(&name).unwrap().clone();
    assert!(token.allows(Scope::Arm) && token.allows(Scope::Read), "whoever may write may read");
    assert!(!token.allows(Scope::AuditRead) && !token.allows(Scope::DevicesWrite));
    assert_eq!(token.voice(), "token:desk");
    let taken = Reply::Rejected(Rejection::TokenExists { name: name.clone() });
    assert_eq!(create(&mut lab, "desk", &[Scope::Read], None), taken);
    lab.pass(60);
    assert!(!token.is_live(lab.now));
    assert_eq!(create(&mut lab, "desk", &[Scope::Read], None), Reply::Done, "it has ended");
    let revoke = || Request::Token(TokenOrder::Revoke { name: name.clone(), by: "ann".into() });
    assert_eq!(lab.ask(&revoke()).0, Reply::Done);
    assert!(lab.world.tokens.is_empty());
    assert_eq!(lab.ask(&revoke()).0, Reply::Rejected(Rejection::NoToken { name: name.clone() }));
    for useless in [create(&mut lab, "no", &[], None), create(&mut lab, "no", &[Scope::Read], Some(0))] {
        assert_eq!(useless, Reply::Rejected(Rejection::UselessToken));
    }
}
