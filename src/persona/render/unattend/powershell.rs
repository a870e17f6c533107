//! PowerShell: texts that stay texts, and the frame that each step runs in.

/// A text as a PowerShell literal. In single quotes nothing means anything but the quote itself, and PowerShell takes the
/// typographic ones for quotes too.
pub(super) fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('\'');
    for c in text.chars() {
        if matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}') {
            literal.push(c);
        }
        literal.push(c);
    }
    literal.push('\'');
    literal
}

/// Texts as a PowerShell array.
pub(super) fn array<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let literals: Vec<String> = texts.into_iter().map(literal).collect();
    format!("@({})", literals.join(", "))
}

/// A step: what it is called in the report, and what it does. One that fails keeps no other from running. Its lines are not
/// set in: some may be inside of a text.
pub(super) fn step(name: &str, body: &str) -> String {
    format!("Step {} {{\n{}\n}}\n", literal(name), body.trim_end_matches('\n'))
}

/// The same for PowerShell that an admin wrote: read only when it is its turn, so that a mistake in it stays there.
pub(super) fn foreign_step(name: &str, script: &str) -> String {
    format!("Step {} {{ & ([scriptblock]::Create({})) }}\n", literal(name), literal(script))
}

/// A check: what it is called, what is wanted, and how to see what is there.
pub(super) fn check(name: &str, wanted: &str, see: &str) -> String {
    format!("Check {} {} {{ {see} }}\n", literal(name), literal(wanted))
}

/// What every script begins with. The mark in front tells Windows PowerShell that the file is UTF-8.
pub(super) fn prologue(report_url: &str) -> String {
    format!(
        "\u{feff}# What the persona asks of Windows, run once at the first logon. Written by Greenroom.\n\
         $ErrorActionPreference = 'Stop'\n\
         $ProgressPreference = 'SilentlyContinue'\n\
         [Net.ServicePointManager]::SecurityProtocol = 'Tls12'\n\
         $report = {}\n\
         {PROLOGUE}",
        literal(report_url)
    )
}

const PROLOGUE: &str = r#"$phase = 'ready'
$checks = New-Object System.Collections.ArrayList
function Note([string]$Name, [bool]$Ok, [string]$Saw) {
    if (-not $Ok) { $script:phase = 'failed' }
    [void]$script:checks.Add(@{ name = $Name; ok = $Ok; saw = $Saw })
}
function Step([string]$Name, [scriptblock]$Do) {
    try {
        $global:LASTEXITCODE = 0
        & $Do | Out-Null
        if ($LASTEXITCODE -ne 0) { throw "exit code $LASTEXITCODE" }
        Note $Name $true 'done'
    } catch {
        Note $Name $false "$_"
    }
}
function Check([string]$Name, [string]$Wanted, [scriptblock]$See) {
    $saw = ''
    try { $saw = "$(& $See)" } catch { $saw = '' }
    $ok = ($saw -ne '') -and (($Wanted -eq '') -or ($saw -eq $Wanted))
    Note $Name $ok $saw
}
function Send([hashtable]$Body) {
    $bytes = [Text.Encoding]::UTF8.GetBytes((ConvertTo-Json -InputObject $Body -Depth 4 -Compress))
    foreach ($pause in 1, 2, 5, 10, 30, 60) {
        try {
            Invoke-RestMethod -Uri $report -Method Post -ContentType 'application/json' -Body $bytes -TimeoutSec 20 | Out-Null
            return
        } catch {
            Start-Sleep -Seconds $pause
        }
    }
}
Send @{ phase = 'installed' }
"#;

/// What every script ends with: the report, and nothing left behind that holds a secret.
pub(super) const EPILOGUE: &str = r#"$logon = 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon'
Set-ItemProperty -Path $logon -Name AutoAdminLogon -Value '0'
Remove-ItemProperty -Path $logon -Name DefaultPassword -ErrorAction SilentlyContinue
Send @{
    phase = $phase
    hostname = $env:COMPUTERNAME.ToLower()
    kernel = [Environment]::OSVersion.VersionString
    checks = @($checks)
}
Remove-Item -LiteralPath $PSCommandPath -Force
"#;
