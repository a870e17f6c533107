#!/bin/sh
echo {{.etcd_name}} > /etc/hostname
